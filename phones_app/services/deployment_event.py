"""What listeners are told of deployments and restarts, in the transaction of the change. No secrets, no file contents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from phones_app.models import Deployment
from phones_app.sep.mac import colons
from profiles_app.services.event import Happening, emit_many

UPLOADED, CONFIRMED, FAILED = "uploaded-deployment", "confirmed-deployment", "failed-deployment"
RESTARTED = "restarted-phone"
# The general tag and the type of the data that go with each.
KIND_OF = {UPLOADED: "deployment", CONFIRMED: "deployment", FAILED: "deployment", RESTARTED: "phone"}
# What else an event says of each of some deployments: for those that a subject above deployments knows.
Source = Callable[[Sequence[Deployment]], Mapping[Deployment, Mapping[str, Any]]]
_sources: list[Source] = []


def register(source: Source) -> None:
    """Have `source` asked, once for each set of deployments, what their events say besides."""
    _sources.append(source)


def tell_all(deployments: Sequence[Deployment], tag: str) -> None:
    more = [source(deployments) for source in _sources]
    emit_many([_happening(row, tag, [found[row] for found in more if row in found]) for row in deployments])


def _happening(deployment: Deployment, tag: str, more: Iterable[Mapping[str, Any]]) -> Happening:
    phone, profile, kind = deployment.phone, deployment.profile, KIND_OF[tag]
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
        "requested_by": deployment.requested_by,
    }
    about = phone.uuid if kind == "phone" and phone else deployment.uuid
    return Happening(
        deployment.account,
        ["deployment" if kind == "deployment" else "phone", tag],
        kind,
        of_deployment | of_phone | {name: value for fields in more for name, value in fields.items()},
        about,
    )
