"""The URLs of people: their part of /api/v1, and the notification contacts in the dialect of their document."""

from django.urls import include, path

from contacts_app.accounts import urls as accounts
from contacts_app.contacts import urls as contacts
from contacts_app.contacts.pages import unsubscribe
from contacts_app.people import urls as people

urlpatterns = [
    path("api/2.0/", include(contacts)),
    *(path("api/v1/", include(routes)) for routes in (accounts, people, contacts.csv_urlpatterns)),
    path("unsubscribe", unsubscribe, name="unsubscribe"),
]
