"""The screen of a simulated phone from another process: what it shows, and presses of its keys, over its web server."""

import json
from typing import Any
from urllib.parse import urlencode

import httpcore

from contacts_app.core.errors import Refusal
from contacts_app.core.net.http import HTTP_FAILURES
from phones_app.inventory.models import Phone
from phones_app.simulator.hand import HAND_PATH
from phones_app.simulator.window import SECONDS

# The phone answers when it shows what a key leads to, which it waits for itself.
TIMEOUT = {"connect": 3.0, "read": SECONDS + 3, "write": 3.0, "pool": 3.0}
FORM: dict[bytes | str, bytes | str] = {"Content-Type": "application/x-www-form-urlencoded", "Connection": "close"}


def at_phone(phone: Phone, **pressed: str) -> dict[str, Any]:
    """What it shows, after a press if there is one. Raises Refusal where nothing answers as a simulated phone."""
    url = f"http://{phone.phone_ip}:{phone.web_port}{HAND_PATH}"
    body = urlencode(pressed).encode() if pressed else None
    method = "POST" if pressed else "GET"
    try:
        response = httpcore.request(method, url, headers=FORM, content=body, extensions={"timeout": TIMEOUT})
        if response.status == 200:
            return dict(json.loads(response.content))
    except (*HTTP_FAILURES, ValueError):
        pass
    raise Refusal("no-answer", "The phone does not answer: it is off, starting, or its file turns its web server off.")
