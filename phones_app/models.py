"""WHERE: phones, phone profiles and revisions, servers, deployments and what phones were seen doing."""

from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment, DeploymentStep, FileState, LastDeployment, PhoneFile
from phones_app.inventory.models import Phone, PhoneGroup, Presence, ServiceSession
from phones_app.rollout.models import Rollout, RolloutMember, RolloutState
from phones_app.servers.models import CallManager, FileServer, KeyMacro
from profiles_app.phone.models import PhoneProfile, ProfileRevision, SoftwareType

__all__ = [
    "CallManager",
    "Deployment",
    "DeploymentStep",
    "FileFetch",
    "FileServer",
    "FileState",
    "KeyMacro",
    "LastDeployment",
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
