"""WHERE: phones, phone profiles and revisions, servers, deployments and what phones were seen doing."""

from phones_app.models.call_manager import CallManager, KeyMacro
from phones_app.models.deployment import Deployment, DeploymentStep
from phones_app.models.file_server import FileServer
from phones_app.models.phone import Phone, Presence, SoftwareType
from phones_app.models.phone_file import FileState, PhoneFile
from phones_app.models.phone_group import PhoneGroup
from phones_app.models.phone_profile import PhoneProfile, ProfileRevision
from phones_app.models.rollout import Rollout, RolloutMember, RolloutState
from phones_app.models.sighting import FileFetch, ServiceSession

__all__ = [
    "CallManager",
    "Deployment",
    "DeploymentStep",
    "FileFetch",
    "FileServer",
    "FileState",
    "KeyMacro",
    "Phone",
    "PhoneFile",
    "PhoneGroup",
    "PhoneProfile",
    "Presence",
    "ProfileRevision",
    "Rollout",
    "RolloutMember",
    "RolloutState",
    "ServiceSession",
    "SoftwareType",
]
