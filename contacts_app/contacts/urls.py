"""The routes of /api/2.0. Words come before the UUIDs that they could be taken for."""

from contacts_app.contacts.api.contacts import NotificationContacts
from contacts_app.contacts.api.preferences import NotificationPreferences
from contacts_app.core.api.viewset import DialectRouter

# The slash at the end is the documented form.
router = DialectRouter(trailing_slash=True, both_ends=True)
router.register("notification_contacts", NotificationContacts)
router.register("notification_preferences", NotificationPreferences)
urlpatterns = router.urls
