"""`/settings`: the catalogue of what a phone's file can be told, the same for everybody (configuration spec §4.2)."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.examples import examples_of
from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape
from contacts_app.core.api.view import Text
from profiles_app.phone.models import SoftwareType
from profiles_app.phone.rendering.series import all_series, series_of
from profiles_app.phone.rendering.settings import Setting, all_settings


class SettingChoice(Shape):
    value = serializers.CharField(help_text="What a layer stores.")
    words = serializers.CharField(help_text="What it means.")


class SettingRecord(Shape):
    """One setting. What is null does not matter for its type."""

    name = serializers.CharField(help_text="As layers and templates use it.")
    group = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    help = serializers.CharField()
    type = serializers.CharField(
        help_text="`boolean` (on, off), `choice`, `number`, `text`, `host`, `url`, `list` (commas between the entries), "
        "`password`, `time` (HH:MM) or `time-zone`."
    )
    entries = serializers.CharField(allow_null=True, help_text="The type of a list's entries.")
    choices = SettingChoice(many=True, allow_null=True)
    lowest = serializers.IntegerField(allow_null=True)
    highest = serializers.IntegerField(allow_null=True)
    unit = serializers.CharField(allow_null=True)
    most = serializers.IntegerField(allow_null=True, help_text="How many entries a list can have.")
    longest = serializers.IntegerField(help_text="Characters of a value, or of an entry.")
    default = serializers.CharField(
        allow_null=True, help_text="What counts where no layer gives a value; empty: the phone decides; null: one must."
    )
    path = serializers.CharField(help_text="Where the file has it, below `device`.")
    series = serializers.ListField(child=serializers.CharField(), help_text="The series of phones which know it.")
    software = serializers.CharField(allow_null=True, help_text="`SIP` or `SCCP` where only that has it.")
    travels = serializers.CharField(help_text="`P`: goes with the person who logs in; `D`: stays with the phone.")
    secret = serializers.BooleanField(help_text="Values are not shown.")


class AskedForSettings(Shape):
    model = Text(required=False, max_length=64, help_text="Only settings that this model knows.")
    software_type = serializers.ChoiceField(
        choices=SoftwareType.choices, required=False, help_text="Only settings that phones with this software know."
    )


def _record(setting: Setting) -> dict[str, object]:
    lowest, highest = setting.range or (None, None)
    return {
        "name": setting.name,
        "group": setting.group,
        "label": setting.label,
        "help": setting.help,
        "type": setting.type,
        "entries": (setting.of or "choice") if setting.type == "list" else None,
        "choices": [{"value": value, "words": words} for value, words in setting.choices.items()] or None,
        "lowest": lowest,
        "highest": highest,
        "unit": setting.unit or None,
        "most": setting.most or None,
        "longest": setting.longest,
        "default": setting.default,
        "path": setting.path,
        "series": [series for series in all_series() if setting.known_to(series)],
        "software": setting.software or None,
        "travels": setting.travels,
        "secret": setting.secret,
    }


class SettingCatalogue(FamilyViewSet):
    serializer_class = SettingRecord
    rights = {"list": ()}
    filter_backends = []
    pagination_class = None

    @extend_schema(
        parameters=[AskedForSettings],
        examples=examples_of(__file__, "settings"),
        responses=answers(200, envelope("Settings", SettingRecord, many=True), 400),
    )
    def list(self, request: Request) -> Response:
        """The settings that layers can give values for, in the order of the groups; with `model`, those it knows."""
        asked = self.asked(AskedForSettings)
        series = series_of(asked["model"]) if "model" in asked else ""
        software = asked.get("software_type", "")
        software = "SCCP" if software == "SCCP" else "SIP" if software else ""
        found = [_record(setting) for setting in all_settings() if setting.known_to(series, software)]
        self.message = f"{len(found)} setting(s) found"
        return Response(found)
