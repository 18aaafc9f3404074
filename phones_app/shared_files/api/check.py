"""`/files/{uuid}/check`: what phones make of a file, and what they dial by a dial template (boot server spec §11)."""

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import TRUTH, Shape
from contacts_app.core.api.members import refuse_unknown
from phones_app.shared_files.api.file import SharedFiles
from phones_app.shared_files.checks import dialled_by, findings_of
from profiles_app.phone.api.profile import FindingShape
from profiles_app.phone.companions.dialling import LONGEST_NUMBER


class TryQuery(Shape):
    """A number to dial by the file, which is a dial template then."""

    number = serializers.RegexField(r"^[0-9*#+]*\Z", required=False, allow_blank=True, max_length=LONGEST_NUMBER)
    line = serializers.IntegerField(required=False, min_value=1, max_value=255, default=1)
    hash_dials = serializers.ChoiceField(list(TRUTH), required=False, default="true")


class PlayedToneShape(Shape):
    after = serializers.IntegerField(help_text="How many digits were typed.")
    tone = serializers.CharField()


class DialledShape(Shape):
    """What the phone does while the number is typed digit by digit."""

    rule = serializers.IntegerField(allow_null=True, help_text="Which rule it is dialled by, from 1; null: none.")
    pattern = serializers.CharField(allow_null=True)
    used = serializers.CharField(help_text="The digits that were typed until it was dialled.")
    seconds = serializers.IntegerField(help_text="After the last of them.")
    sent = serializers.CharField(help_text="As the phone sends it.")
    tones = PlayedToneShape(many=True)


class FileCheckShape(Shape):
    findings = FindingShape(many=True, allow_null=True, help_text="Null: this kind of file has no checker.")
    dialled = DialledShape(allow_null=True, help_text="Null: no number was given, or the file is no dial template.")


TRY = [
    OpenApiParameter("number", str, description="Dial it by the rules of this dial template."),
    OpenApiParameter("line", int, description="On this line of the phone; 1 when left out."),
    OpenApiParameter("hash_dials", str, enum=list(TRUTH), description="Whether # dials at once; `true` when left out."),
]


class FileChecks(SharedFiles):
    messages = {"retrieve": "File checked"}

    @extend_schema(parameters=TRY, responses=answers(200, envelope("FileCheck", FileCheckShape), 400, 404))
    def retrieve(self, request: Request, **named: object) -> Response:
        """What phones make of the file; with `number`, what they dial by it."""
        query = TryQuery(data=request.query_params, context=self.get_serializer_context())
        refuse_unknown(query, request.query_params)
        query.is_valid(raise_exception=True)
        given, row = query.validated_data, self.get_object()
        told: dict[str, object] = {"findings": findings_of(row), "dialled": None}
        if "number" in given:
            tried = dialled_by(row, given["number"], line=given["line"], hash_dials=TRUTH[given["hash_dials"]])
            if tried is not None:
                dialled, rules = tried
                told["dialled"] = vars(dialled) | {
                    "pattern": rules[dialled.rule - 1].match if dialled.rule else None,
                    "tones": [{"after": after, "tone": tone} for after, tone in dialled.tones],
                }
        return Response(FileCheckShape(told).data)
