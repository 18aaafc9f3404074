"""`/phones/{mac}/boot-trace`: what a phone asked the embedded file server for, and what that means."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.view import Instant
from phones_app.boot.trace import boot_trace
from phones_app.inventory.api.phone import PhonesByMac

SEES = "phones_app.view_requestedfile"


class TraceLineShape(Shape):
    """One name that the phone asked for."""

    name = serializers.CharField()
    what = serializers.CharField(help_text="Such as: Dial template.")
    meaning = serializers.CharField(help_text="Of the last answer.")
    is_missing = serializers.BooleanField(
        source="row.is_missing", help_text="There was no such file at the last request."
    )
    is_normal = serializers.BooleanField(help_text="It is missing, and usually is.")
    given = serializers.IntegerField(source="row.given", help_text="How often the file was given, whole.")
    missing = serializers.IntegerField(source="row.missing", help_text="How often there was none.")
    refused = serializers.IntegerField(
        source="row.refused", help_text="How often it was not given at that address, though it may be there."
    )
    given_beside = serializers.IntegerField(
        source="beside", help_text="To how many other phones of its model, where it is missing."
    )
    protocol = serializers.CharField(source="row.protocol", help_text="http or tftp, of the last request.")
    address = serializers.CharField(source="row.address")
    size = serializers.IntegerField(source="row.size", help_text="In bytes, when it was given last.")
    first_at = Instant(source="row.first_at")
    last_at = Instant(source="row.last_at")


class BootTraceShape(Shape):
    findings = serializers.ListField(child=serializers.CharField(), help_text="What the requests say together.")
    files = TraceLineShape(many=True, source="lines")


TRACE = envelope("BootTrace", BootTraceShape)


class BootTraces(PhonesByMac):
    rights = {"boot_trace": SEES}
    messages = {"boot_trace": "Boot trace found"}

    @extend_schema(responses=answers(200, TRACE, 404))
    @action(detail=True, url_path="boot-trace")
    def boot_trace(self, request: Request, mac: str) -> Response:
        """What the phone asked the embedded file server for, the latest first, and what the answers mean."""
        return Response(BootTraceShape(boot_trace(self.get_object())).data)
