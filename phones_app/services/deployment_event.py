"""What listeners are told of deployments and restarts, in the transaction of the change. No secrets, no file contents."""

from collections.abc import Iterable

from phones_app.models import Deployment
from phones_app.sep.mac import colons
from profiles_app.services.event import Happening, emit_many

UPLOADED, CONFIRMED, FAILED = "uploaded-deployment", "confirmed-deployment", "failed-deployment"
RESTARTED = "restarted-phone"
# The general tag and the type of the data that go with each.
KIND_OF = {UPLOADED: "deployment", CONFIRMED: "deployment", FAILED: "deployment", RESTARTED: "phone"}


def tell(deployment: Deployment, tag: str) -> None:
    tell_all([deployment], tag)


def tell_all(deployments: Iterable[Deployment], tag: str) -> None:
    emit_many([_happening(deployment, tag) for deployment in deployments])


def _happening(deployment: Deployment, tag: str) -> Happening:
    phone, profile, rollout = deployment.phone, deployment.profile, deployment.rollout
    kind = KIND_OF[tag]
    of_phone = {"mac": colons(deployment.mac), "name": phone.name if phone else ""}
    of_deployment = {
        "uuid": deployment.uuid,
        "kind": deployment.kind,
        "state": deployment.state,
        "error_code": deployment.error_code,
        "error": deployment.error,
        "profile": profile.uuid if profile else None,
        "profile_name": deployment.profile_name,
        "sha256": deployment.sha256,
        "rollout": rollout.uuid if rollout else None,
        "requested_by": deployment.requested_by,
    }
    about = phone.uuid if kind == "phone" and phone else deployment.uuid
    return Happening(
        deployment.account,
        ["deployment" if kind == "deployment" else "phone", tag],
        kind,
        of_deployment | of_phone,
        about,
    )
