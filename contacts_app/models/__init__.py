"""WHO: accounts, extensions, users and their credentials."""

from contacts_app.models.account import Account, Extension
from contacts_app.models.api_token import ApiToken, LoginSession
from contacts_app.models.user import User

__all__ = ["Account", "ApiToken", "Extension", "LoginSession", "User"]
