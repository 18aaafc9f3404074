"""`Idempotency-Key`: a POST that is sent again, because its answer was lost, is answered as before and done once.

A key counts for one credential and a day. Another request under the same key is a mistake of the sender (422). What was
refused (4xx, 503) has done nothing, so that its key is free again. When a process dies between the work and the answer,
nobody knows whether the work was done; whoever asks again hears exactly that, and nothing is done twice.
"""

import hashlib
import json
import re
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from contacts_app.core.actor import Actor
from contacts_app.core.api.dialect import BoundedJSONParser, Conflict
from contacts_app.core.api.models import LIFE, KeptAnswer
from contacts_app.core.work import clock

NAME = "Idempotency-Key"
HEADER = "HTTP_IDEMPOTENCY_KEY"
KEY = re.compile(r"[!-~]{1,255}")
# No request takes as long: one without an answer by then was cut off.
LONGEST = timedelta(minutes=2)


class KeyReused(ValidationError):
    status_code = 422

    def __init__(self) -> None:
        super().__init__(
            {NAME: ["This key came with another request before; use a new one."]}, "idempotency-key-reused"
        )


class UnderWay(Conflict):
    wait = 1

    def __init__(self) -> None:
        super().__init__("The first request with this key is being worked on.", "request-under-way")


class OutcomeUnknown(Conflict):
    def __init__(self) -> None:
        text = (
            "The first request with this key was cut off, and whether it was done is not known. Look whether it was; "
            "use a new key to have it done."
        )
        super().__init__(text, "outcome-unknown")


class Replayed(Exception):
    """The answer is there already."""

    def __init__(self, kept: KeptAnswer) -> None:
        self.kept = kept

    def response(self) -> HttpResponse:
        return HttpResponse(
            self.kept.body or b"", status=self.kept.status, headers=self.kept.headers | {"Idempotent-Replayed": "true"}
        )


def credential_of(actor: Actor) -> str:
    """The token, or else the person, however they have logged in."""
    return f"token:{actor.token.pk}" if actor.token else f"person:{actor.pk}"


def takes_key(view: APIView) -> bool:
    """Bodies that are files are not kept in memory to be compared; importing them again changes nothing."""
    return bool(view.authentication_classes) and issubclass(view.parser_classes[0], BoundedJSONParser)


class Keeping:
    """The one request that does the work; `end` keeps what it was answered."""

    def __init__(self, row: KeptAnswer) -> None:
        self.rows = KeptAnswer.objects.filter(pk=row.pk)

    def end(self, response: Any) -> None:
        if 400 <= response.status_code < 500 or response.status_code == 503:
            self.rows.delete()
            return
        content = response.render().content if isinstance(response, Response) else response.content
        self.rows.update(status=response.status_code, headers=dict(response.items()), body=content)


def begin(request: Request, view: APIView) -> Keeping | None:
    """Take the key of a request that is about to be done; None without one. Raises Replayed and APIExceptions."""
    key = request.META.get(HEADER)
    if key is None or not isinstance(request.user, Actor) or not takes_key(view):
        return None
    if not KEY.fullmatch(key):
        raise ValidationError({NAME: ["Must be 1 to 255 visible characters of ASCII."]})
    asked, now = _digest(request), clock.now()
    whose = {"credential": credential_of(request.user), "key": hashlib.sha256(key.encode()).hexdigest()}
    # Its day may be over before a worker has forgotten it.
    KeptAnswer.objects.filter(**whose, created_at__lt=now - LIFE).delete()
    row, is_ours = KeptAnswer.objects.get_or_create(**whose, defaults={"request": asked, "created_at": now})
    if is_ours:
        return Keeping(row)
    raise _answer_again(row, asked, is_late=now - row.created_at > LONGEST)


def _answer_again(row: KeptAnswer, asked: str, *, is_late: bool) -> Exception:
    if row.request != asked:
        return KeyReused()
    if row.status is not None:
        return Replayed(row)
    return OutcomeUnknown() if is_late else UnderWay()


def _digest(request: Request) -> str:
    """Of all that says what is to be done; a body is the same whatever the spaces and the order of its members."""
    body = json.dumps(request.data, sort_keys=True, default=str)
    return hashlib.sha256(f"{request.method} {request.get_full_path()}\n{body}".encode()).hexdigest()
