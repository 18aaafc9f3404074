"""The web admin's pages about phones, their profiles, servers and deployments."""

from phones_app.admin.deployment import DeploymentAdmin
from phones_app.admin.phone import PhoneAdmin
from phones_app.admin.phone_group import PhoneGroupAdmin
from phones_app.admin.phone_profile import PhoneProfileAdmin, ProfileRevisionAdmin
from phones_app.admin.rollout import RolloutAdmin
from phones_app.admin.server import CallManagerAdmin, FileServerAdmin, KeyMacroAdmin
from phones_app.admin.sighting import FileFetchAdmin, ServiceSessionAdmin

__all__ = [
    "CallManagerAdmin",
    "DeploymentAdmin",
    "FileFetchAdmin",
    "FileServerAdmin",
    "KeyMacroAdmin",
    "PhoneAdmin",
    "PhoneGroupAdmin",
    "PhoneProfileAdmin",
    "ProfileRevisionAdmin",
    "RolloutAdmin",
    "ServiceSessionAdmin",
]
