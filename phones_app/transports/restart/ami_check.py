"""Tries what restarts through an Asterisk will need: is it loaded, and may the account use it? (Asterisk spec §F.3)"""

from dataclasses import dataclass

from contacts_app.core.errors import Exchange
from contacts_app.core.net.wire import evidence
from contacts_app.core.tables import table
from phones_app.transports.restart.ami import AmiSession

_NEEDS: dict[str, list[tuple[str, str, str]]] = table(__file__, "answers.toml")["asterisk"]["needs"]
_SCCP = "sccpdevicerestart"
# The name of no endpoint and no peer: what is asked for it has no effect.
_NOBODY = "patchbay-connection-test"


@dataclass(frozen=True)
class Findings:
    """`works`: what can be used; `missing`: what cannot, each with the reason."""

    works: list[str]
    missing: list[str]
    restarts_sccp: bool
    exchange: Exchange


def check_account(session: AmiSession, channel: str) -> Findings:
    """Try each action that this channel driver needs; nothing is sent to any phone."""
    listed = session.action("ListCommands")
    # Only what is loaded and permitted is listed.
    names = {key.lower() for key, _ in listed.response.fields}
    works, missing, said = [], [], [listed.exchange]
    for action, key, right in _NEEDS[channel]:
        pairs = (("Channel", f"SIP/{_NOBODY}"), ("Peer", _NOBODY)) if key == "Channel" else ((key, _NOBODY),)
        reply = session.action(action, pairs)
        said.append(reply.exchange)
        code = "" if reply.succeeded else reply.refusal().code
        if code == "permission-denied":
            missing.append(f"the account may not use {action} (manager.conf: write = {right})")
        elif code == "unknown-action":
            missing.append(f"there is no {action} ({channel} is not loaded)")
        else:
            works.append(action)
    texts = (evidence("\n".join(getattr(one, part) for one in said)) for part in ("request", "answer"))
    return Findings(works, missing, _SCCP in names, Exchange(*texts))
