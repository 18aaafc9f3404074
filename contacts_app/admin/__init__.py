"""The web admin's pages about accounts, people and credentials."""

from contacts_app.admin.account import AccountAdmin, ExtensionAdmin
from contacts_app.admin.api_token import ApiTokenAdmin, LoginSessionAdmin
from contacts_app.admin.user import GroupAdmin, UserAdmin

__all__ = ["AccountAdmin", "ApiTokenAdmin", "ExtensionAdmin", "GroupAdmin", "LoginSessionAdmin", "UserAdmin"]
