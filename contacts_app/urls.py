"""The URLs of people: their part of /api/v1, and the notification contacts in the dialect of their document."""

from django.urls import include, path

from contacts_app.accounts import urls as accounts
from contacts_app.contacts import urls as contacts
from contacts_app.contacts.pages import unsubscribe
from contacts_app.core.history import urls as history
from contacts_app.people import urls as people
from contacts_app.people.pages import SecondFactorPage, from_provider, to_provider

urlpatterns = [
    path("api/2.0/", include(contacts)),
    *(path("api/v1/", include(routes)) for routes in (accounts, people, history, contacts.csv_urlpatterns)),
    path("unsubscribe", unsubscribe, name="unsubscribe"),
    path("second-factor", SecondFactorPage.as_view(), name="second_factor"),
    # The names are those by which the library looks for them.
    path("oidc/authenticate/", to_provider, name="oidc_authentication_init"),
    path("oidc/callback/", from_provider, name="oidc_authentication_callback"),
]
