"""Which endpoints or peers an Asterisk knows: asked by name, with the rights of a restart (Asterisk spec §E, §J).

One name costs a few milliseconds; a list of all of them can take longer than a time-out.
"""

import re
from collections.abc import Iterable

from phones_app.transports.restart.ami import AmiSession

MOST_NAMES = 300
# The action, and how the name is called in it.
_ASKED = {"pjsip": ("PJSIPShowEndpoint", "Endpoint"), "chan_sip": ("SIPshowpeer", "Peer")}
_NAME = re.compile(r"[A-Za-z0-9_.+*#@\-]+")


def known_names(session: AmiSession, channel: str, names: Iterable[str]) -> set[str]:
    """Those of the names that the channel driver knows. Raises TransportError for what is no answer to the question."""
    action, key = _ASKED[channel]
    known = set()
    for name in names:
        if not _NAME.fullmatch(name):
            continue
        reply = session.action(action, ((key, name),))
        if reply.succeeded:
            known.add(name)
        elif (why := reply.refusal()).code != "device-not-found":
            raise why
    return known
