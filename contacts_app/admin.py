"""The web admin's pages about accounts, people, credentials and contacts."""

from contacts_app.accounts.admin import AccountAdmin, AccountGroupAdmin, ExtensionAdmin
from contacts_app.contacts.admin import MailAdmin, NotificationContactAdmin
from contacts_app.people.admin import GroupAdmin, UserAdmin
from contacts_app.tokens.admin import ApiTokenAdmin, LoginSessionAdmin

__all__ = [
    "AccountAdmin",
    "AccountGroupAdmin",
    "ApiTokenAdmin",
    "ExtensionAdmin",
    "GroupAdmin",
    "LoginSessionAdmin",
    "MailAdmin",
    "NotificationContactAdmin",
    "UserAdmin",
]
