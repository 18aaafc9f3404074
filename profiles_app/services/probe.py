"""Trying a callback: `POST {"test": 1}` to its URL, which has to answer 200 or 201 (events spec §5.2)."""

from dataclasses import dataclass

from django.conf import settings
from django.core.exceptions import ValidationError

from contacts_app.transports.errors import TransportError
from contacts_app.transports.networks import Networks
from profiles_app.models import Callback
from profiles_app.services.callback_config import HTTP_MODES
from profiles_app.services.errors import outward_message
from profiles_app.transports import send

PROBE_BODY = b'{"test": 1}'
PASSING = (200, 201)


@dataclass(frozen=True)
class Probe:
    ok: bool
    message: str


def probe(callback: Callback) -> Probe:
    """Ask the callback's URL, always by POST, with the configured headers. What is no URL passes unasked."""
    if callback.mode not in HTTP_MODES:
        return Probe(True, "Only callbacks with a URL can be tried.")
    config = callback.config
    try:
        answer = send(
            "POST",
            config["url"],
            body=PROBE_BODY,
            headers=[(header["name"], header["value"]) for header in config.get("headers", [])],
            networks=Networks.parse(settings.CALLBACK_NETWORKS),
            timeout=config.get("timeout") or settings.CALLBACK_SECONDS,
        )
    except TransportError as error:
        return Probe(False, outward_message(error))
    return Probe(answer.status in PASSING, f"The URL answers {answer.status}; 200 and 201 pass.")


def refuse_unless_it_answers(callback: Callback, path: str = "config.url") -> None:
    """Raise ValidationError when the callback's URL does not pass."""
    tried = probe(callback)
    if not tried.ok:
        raise ValidationError({path: [tried.message]})
