"""The web admin's pages about accounts, people, credentials and contacts."""

from contacts_app.admin.account import AccountAdmin, AccountGroupAdmin, ExtensionAdmin
from contacts_app.admin.api_token import ApiTokenAdmin, LoginSessionAdmin
from contacts_app.admin.mail import MailAdmin
from contacts_app.admin.notification_contact import NotificationContactAdmin
from contacts_app.admin.user import GroupAdmin, UserAdmin

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
