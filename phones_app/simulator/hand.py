"""The hand at a simulated phone: what its screen shows as JSON, and presses of its keys, over its own web server.

Real phones have nothing like it. It is on loopback, where simulated phones are, and does what a person there could do.
"""

import json
from typing import Any
from urllib.parse import parse_qsl

from contacts_app.core.net.http_request import Request
from phones_app.simulator.state import Fault, PhoneState
from phones_app.simulator.window import PhoneWindow

HAND_PATH = "/simulated/hand"
# Names of a form's fields in a request, so that they are no presses.
FIELD = "field."


async def handled(phone: PhoneState, window: PhoneWindow, request: Request) -> bytes:
    """Fill fields, press what is said, and tell what is shown then. `key`, `soft_key` and `choice` say what."""
    values = dict(parse_qsl(request.body.decode(errors="replace"), keep_blank_values=True))
    if request.method == "POST" and phone.is_up:
        for name, text in values.items():
            if name.startswith(FIELD):
                window.type(name.removeprefix(FIELD), text)
        if key := values.get("key"):
            await window.press(key)
        elif (position := values.get("soft_key", "")).isdecimal():
            await window.press_soft_key(int(position))
        elif (place := values.get("choice", "")).isdecimal():
            await window.choose(int(place))
    return json.dumps(_shown(phone, window)).encode()


def _shown(phone: PhoneState, window: PhoneWindow) -> dict[str, object]:
    device_file, page = phone.device_file, window.page
    whole: dict[str, Any] = {
        "registered": phone.registered,
        "in_call": phone.fault is Fault.IN_CALL,
        "label": device_file.label if device_file else "",
        "lines": list(device_file.line_labels) if device_file else [],
        "window": None,
    }
    if page is not None:
        shown = page.shown
        whole["window"] = {
            "kind": shown.kind,
            "title": shown.title,
            "prompt": shown.prompt if phone.generation.shows_prompt else "",
            "text": shown.text,
            "choices": [list(choice) for choice in shown.choices],
            "chosen": page.chosen,
            "fields": [
                {
                    "label": each.label,
                    "name": each.name,
                    # What is hidden on the screen does not leave the phone either.
                    "value": "" if each.flags.endswith("P") else page.typed.get(each.name, each.default),
                    "is_hidden": each.flags.endswith("P"),
                }
                for each in shown.fields
            ],
            "keys": {str(position): name for position, (name, _) in sorted(shown.keys.items())},
        }
    return whole
