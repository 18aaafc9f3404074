"""The routes of /api/2.0, and the contacts as CSV in /api/v1."""

from contacts_app.contacts.api.contacts import NotificationContacts
from contacts_app.contacts.api.preferences import NotificationPreferences
from contacts_app.contacts.api.session import AccountActions
from contacts_app.contacts.services import ContactCsv
from contacts_app.core.api.viewset import DialectRouter
from contacts_app.core.csv.api import csv_route

# Words come before the UUIDs that they could be taken for. The slash at the end is the documented form.
router = DialectRouter(trailing_slash=True, both_ends=True)
router.register("notification_contacts", NotificationContacts)
router.register("notification_preferences", NotificationPreferences)
router.register("accounts/action", AccountActions)
urlpatterns = router.urls
csv_urlpatterns = [csv_route("notification-contacts", ContactCsv)]
