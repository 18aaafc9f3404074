"""`/phones/{mac}/pbx`: what the PBX must have for a phone, as text to paste, and whether it has it."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import TRUTH, Shape
from contacts_app.core.api.view import Text
from phones_app.configuration.pbx import compared, dialect_of, needs_of
from phones_app.inventory.api.phone import PhonesByMac
from profiles_app.phone import pbx


class PbxQuery(Shape):
    dialect = serializers.ChoiceField(choices=list(pbx.DIALECTS), required=False)
    context = Text(max_length=80, default=pbx.CONTEXT)  # type: ignore[assignment]
    compare = serializers.ChoiceField(choices=list(TRUTH), default="false")


class ComparedPbxShape(Shape):
    manager = serializers.CharField(help_text="Name of the call manager; empty: the phone has none.")
    needed = serializers.ListField(child=serializers.CharField())
    missing = serializers.ListField(child=serializers.CharField())
    error = serializers.CharField(help_text="Why it could not be asked; empty: it was.")


class PbxShape(Shape):
    dialect = serializers.ChoiceField(choices=list(pbx.DIALECTS))
    text = serializers.CharField(help_text="Sections for the PBX; passwords only for callers who may see them.")
    names = serializers.ListField(child=serializers.CharField(), help_text="Of the endpoints or peers.")
    passwords_hidden = serializers.BooleanField()
    compared = ComparedPbxShape(many=True, help_text="Empty unless asked for with `compare=true`.")


class PbxOfPhone(PhonesByMac):
    rights = {"pbx": ("view", "profiles_app.view_line")}
    messages = {"pbx": "Text for the PBX"}

    @extend_schema(
        parameters=[
            OpenApiParameter("dialect", enum=list(pbx.DIALECTS), description="Without it, as the call manager says."),
            OpenApiParameter("context", str, description="Dialplan context of the lines.", default=pbx.CONTEXT),
            OpenApiParameter("compare", enum=list(TRUTH), description="Ask the call manager by AMI what it has."),
        ],
        responses=answers(200, envelope("PbxOfPhone", PbxShape), 400, 404, 409),
    )
    @action(detail=True)
    def pbx(self, request: Request, mac: str) -> Response:
        """What the PBX must have for the file of this phone: PJSIP, or chan_sip with the usecallmanager patch up to
        Asterisk 20 or for 22.
        """
        phone, asked = self.get_object(), self.asked(PbxQuery)
        dialect = asked.get("dialect") or dialect_of([phone])
        needs = needs_of([phone], self.actor)
        if needs.left_out:
            raise ValidationError({"mac": needs.left_out[0].reason})
        try:
            text = pbx.pbx_text(needs.phones, dialect, context=asked["context"])
        except pbx.UnsafeValue as why:
            raise ValidationError({"context": str(why)}) from None
        told = {
            "dialect": dialect,
            "text": text,
            "names": needs.names,
            "passwords_hidden": needs.phones[0].hidden,
            "compared": compared([phone], needs, self.actor) if TRUTH[asked["compare"]] else [],
        }
        return Response(PbxShape(told).data)
