"""The routes of /api/2.0. Words come before the UUIDs that they could be taken for."""

from django.urls import path

from contacts_app.api.notifications import notification_contact, notification_preference

ROUTES = {
    "notification_contacts/": notification_contact.Contacts,
    "notification_contacts/detail/": notification_contact.ContactsInDetail,
    "notification_contacts/schema/": notification_contact.ContactsDescription,
    "notification_contacts/<str:uuid>/": notification_contact.ContactDetail,
    "notification_preferences/": notification_preference.Preferences,
}

# The slash at the end is the documented form; without it a redirect would lose the body of a request.
urlpatterns = [path(route, view.as_view()) for route, view in ROUTES.items()] + [
    path(route.removesuffix("/"), view.as_view(schema=None)) for route, view in ROUTES.items()
]
