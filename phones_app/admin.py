"""The web admin's pages about phones, their profiles, servers and deployments."""

from contacts_app.core.admin import overview
from phones_app.deployment.admin import overview as deployment
from phones_app.deployment.admin.deployment import DeploymentAdmin
from phones_app.inventory.admin.group import PhoneGroupAdmin
from phones_app.inventory.admin.phone import PhoneAdmin
from phones_app.mobility.admin import FileFetchAdmin, ServiceSessionAdmin
from phones_app.rollout.admin.rollout import RolloutAdmin
from phones_app.servers.admin import CallManagerAdmin, FileServerAdmin, KeyMacroAdmin
from profiles_app.phone.admin.profile import PhoneProfileAdmin, ProfileRevisionAdmin

overview.register(deployment.panels)

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
