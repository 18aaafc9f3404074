"""WHO: accounts, extensions, users and their credentials, and whom an account wants to be told."""

from contacts_app.accounts.models import Account, AccountGroup, Extension
from contacts_app.contacts.models.contact import (
    NotificationContact,
    NotificationMedium,
    NotificationPreference,
    NotificationType,
)
from contacts_app.contacts.models.mail import Incident, Mail, Notice
from contacts_app.core.admin.models import AskedRow, AskedWork
from contacts_app.core.api.models import KeptAnswer
from contacts_app.core.csv.models import UploadedCsv
from contacts_app.core.lists.models import ListColumns, SavedFilter
from contacts_app.core.tally.models import Tally
from contacts_app.core.work.models import WorkStatus
from contacts_app.people.models import LoginSession, SecondFactor, User
from contacts_app.tokens.models import ApiToken

__all__ = [
    "Account",
    "AccountGroup",
    "ApiToken",
    "AskedRow",
    "AskedWork",
    "Extension",
    "Incident",
    "KeptAnswer",
    "ListColumns",
    "LoginSession",
    "Mail",
    "Notice",
    "NotificationContact",
    "NotificationMedium",
    "NotificationPreference",
    "NotificationType",
    "SavedFilter",
    "SecondFactor",
    "Tally",
    "UploadedCsv",
    "User",
    "WorkStatus",
]
