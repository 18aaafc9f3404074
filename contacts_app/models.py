"""WHO: accounts, extensions, users and their credentials, and whom an account wants to be told."""

from contacts_app.accounts.models import Account, AccountGroup, Extension
from contacts_app.contacts.models.contact import (
    NotificationContact,
    NotificationMedium,
    NotificationPreference,
    NotificationType,
)
from contacts_app.contacts.models.mail import Mail, Notice, Trouble
from contacts_app.core.csv.models import UploadedSheet
from contacts_app.core.work.models import WorkStatus
from contacts_app.people.models import LoginSession, User
from contacts_app.tokens.models import ApiToken

__all__ = [
    "Account",
    "AccountGroup",
    "ApiToken",
    "Extension",
    "LoginSession",
    "Mail",
    "Notice",
    "NotificationContact",
    "NotificationMedium",
    "NotificationPreference",
    "NotificationType",
    "Trouble",
    "UploadedSheet",
    "User",
    "WorkStatus",
]
