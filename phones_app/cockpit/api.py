"""`/phones/{mac}/screen`, `keys`, `status-pages`, `log`: the cockpit of a phone for programs.

As on its page, each part needs a permission of its own. The portal's own tokens have them; of customers only a person to
whom they were given, because it is somebody's desk that is looked at.
"""

from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.actor import Actor
from contacts_app.core.api.family_document import Failure, answers, envelope
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.rights import permissions_for
from contacts_app.core.api.view import Manages, Text
from phones_app.cockpit import services
from phones_app.inventory.api.phone import PhonesByMac

PNG = "image/png"


class GivenByName(Manages):
    """Only who was given the permissions; a scope in which somebody may do everything is not enough."""

    message = "This needs a permission of its own, which no customer has by default"

    def has_permission(self, request: Request, view: Any) -> bool:
        if not super().has_permission(request, view):
            return False
        actor, kind = cast(Actor, request.user), cast(Any, type(view))
        needed = permissions_for(kind, view.action, view.model())
        if needed is None:
            return True  # A method that there is not is answered as such.
        return actor.is_staff or (actor.user is not None and actor.user.has_perms(needed))


class KeyPress(Shape):
    key = Text(max_length=64, help_text="As `GET` lists it: `Key:Soft1`.")


class LogFileQuery(Shape):
    name = Text(max_length=200)


class PhoneKeyShape(Shape):
    label = serializers.CharField()  # type: ignore[assignment]
    key = serializers.CharField(source="uri")


class KeysOfPhone(Shape):
    group = serializers.CharField(source="name")
    keys = PhoneKeyShape(many=True)


class StatusSection(Shape):
    title = serializers.CharField()
    headings = serializers.ListField(child=serializers.CharField())
    rows = serializers.ListField(child=serializers.ListField(child=serializers.CharField()))
    note = serializers.SerializerMethodField(help_text="Why there are no rows.")

    def get_note(self, section: Any) -> str:
        return "" if section.rows else str(section.note)


class LogShape(Shape):
    messages = serializers.ListField(child=serializers.CharField(), help_text="Its status messages.")
    files = serializers.ListField(child=serializers.CharField(), help_text="Files of its console log.")


class LogFileShape(Shape):
    name = serializers.CharField()
    text = serializers.CharField(help_text="At most 256 KB.")
    is_cut = serializers.BooleanField(help_text="The file is longer.")


KEYS = envelope("PhoneKeys", KeysOfPhone, many=True)
PRESSED = envelope("PhoneKeyPressed", PhoneKeyShape)
SECTIONS = envelope("PhoneStatusPages", StatusSection, many=True)
LOG = envelope("PhoneLog", LogShape)
LOG_FILE = envelope("PhoneLogFile", LogFileShape)


class Cockpit(PhonesByMac):
    permission_classes = [GivenByName]
    rights = {
        "screen": services.SEE_SCREEN,
        "keys": services.PRESS_KEYS,
        "press": services.PRESS_KEYS,
        "status_pages": services.READ_PAGES,
        "log": services.READ_LOG,
        "log_file": services.READ_LOG,
    }
    messages = {
        "keys": "Keys of the phone",
        "press": "Key pressed",
        "status_pages": "Status pages read",
        "log": "Log read",
        "log_file": "File of the log read",
    }

    @extend_schema(responses={(200, PNG): OpenApiTypes.BINARY, **dict.fromkeys((401, 403, 404, 409, 429), Failure)})
    @action(detail=True)
    def screen(self, request: Request, mac: str) -> HttpResponse:
        """The picture that the phone shows now, as PNG. It is looked at now: phones take a second or more."""
        picture = services.screen_of(self.get_object(), actor=self.actor)
        return HttpResponse(picture, content_type=PNG, headers={"Cache-Control": "no-store"})

    @extend_schema(responses=answers(200, KEYS, 404))
    @action(detail=True)
    def keys(self, request: Request, mac: str) -> Response:
        """The keys that a phone of this model has."""
        return Response(KeysOfPhone(services.keys_of(self.get_object()), many=True).data)

    @extend_schema(operation_id="phones_press_key", request=KeyPress, responses=answers(200, PRESSED, 400, 404, 409))
    @keys.mapping.post
    def press(self, request: Request, mac: str) -> Response:
        """Press one of them. It is written into the phone's history with who pressed it."""
        key = services.press(self.get_object(), self.sent(body=KeyPress)["key"], actor=self.actor)
        return Response(PhoneKeyShape(key).data)

    @extend_schema(responses=answers(200, SECTIONS, 404, 409))
    @action(detail=True, url_path="status-pages")
    def status_pages(self, request: Request, mac: str) -> Response:
        """What the phone says of itself: network, lines, calls, streams, as far as its firmware has such pages."""
        sections = services.sections_of(self.get_object(), actor=self.actor)
        return Response(StatusSection(sections, many=True).data)

    @extend_schema(responses=answers(200, LOG, 404, 409))
    @action(detail=True)
    def log(self, request: Request, mac: str) -> Response:
        """The status messages of the phone, and which files its console log has."""
        return Response(LogShape(services.log_of(self.get_object(), actor=self.actor)).data)

    @extend_schema(
        parameters=[OpenApiParameter("name", str, required=True, description="As `log` lists it.")],
        responses=answers(200, LOG_FILE, 400, 404, 409),
    )
    @action(detail=True, url_path="log-file")
    def log_file(self, request: Request, mac: str) -> Response:
        """What stands in a file of the console log: its beginning, as text."""
        phone, name = self.get_object(), self.asked(LogFileQuery)["name"]
        return Response(LogFileShape(services.log_file_of(phone, name, actor=self.actor)).data)
