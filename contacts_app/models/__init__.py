"""WHO: accounts, extensions, users and their credentials, and whom an account wants to be told."""

from contacts_app.core.work.models import WorkStatus
from contacts_app.models.account import Account, AccountGroup, Extension
from contacts_app.models.api_token import ApiToken, LoginSession
from contacts_app.models.event_class import EventClass
from contacts_app.models.mail import Mail
from contacts_app.models.notice import Notice, Trouble
from contacts_app.models.notification_contact import NotificationContact
from contacts_app.models.notification_preference import (
    NotificationMedium,
    NotificationPreference,
    NotificationType,
)
from contacts_app.models.uploaded_sheet import UploadedSheet
from contacts_app.models.user import User

__all__ = [
    "Account",
    "AccountGroup",
    "ApiToken",
    "EventClass",
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
