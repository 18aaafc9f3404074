"""`/phones/{mac}/configuration`: what a phone's file is made from, and the file as it would be made now."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape
from phones_app.configuration.explained import explained, file_for
from phones_app.inventory.api.phone import PhonesByMac
from profiles_app.phone import sep

SEES = ("phones_app.view_layer", "phones_app.view_phone")


class EffectiveValueRecord(Shape):
    """One value with where it comes from. `label` is left out: the catalogue of settings has it."""

    name = serializers.CharField()
    value = serializers.CharField(help_text="Masked, where it is secret and the caller is not shown secrets.")
    secret = serializers.BooleanField()
    layer = serializers.CharField(help_text="Such as `location Munich`.")
    layer_uuid = serializers.CharField(help_text="The layer in `/layers`.")
    hides = serializers.ListField(child=serializers.CharField(), help_text="Weaker layers with a value.")
    locked_by = serializers.CharField(help_text="The layer that locks it; empty: none.")
    refused = serializers.ListField(
        child=serializers.CharField(), help_text="Stronger layers with a value that the lock refuses."
    )
    used = serializers.BooleanField(help_text="Whether the template reads it.")


class PhoneConfigurationRecord(Shape):
    profile = serializers.CharField()
    person_profile = serializers.CharField(allow_null=True, help_text="Of the person whose part the file has.")
    template = serializers.CharField()
    layers = serializers.ListField(child=serializers.CharField(), help_text="From weak to strong.")
    values = EffectiveValueRecord(many=True)
    lines = serializers.ListField(child=serializers.CharField(), help_text="Extensions, in their order.")
    remarks = serializers.ListField(child=serializers.CharField(), help_text="What had no place in the file.")
    error = serializers.CharField(help_text="Why no file can be made; empty: it can.")


class RenderedFileRecord(Shape):
    file_name = serializers.CharField()
    cnf_xml = serializers.CharField(help_text="Character for character, masked for who is not shown secrets.")


CONFIGURATION = answers(200, envelope("PhoneConfiguration", PhoneConfigurationRecord, metadata=None), 400, 404, 409)
FILE = answers(200, envelope("RenderedFile", RenderedFileRecord, metadata=None), 400, 404, 409)


class PhoneConfigurations(PhonesByMac):
    serializer_class = PhoneConfigurationRecord
    name_in_document = "PhoneConfiguration"
    metadata = None
    rights = dict.fromkeys(("configuration", "rendered"), SEES)
    messages = {"configuration": "Configuration of the phone", "rendered": "File as it would be made now"}

    @extend_schema(responses=CONFIGURATION)
    @action(detail=True)
    def configuration(self, request: Request, mac: str) -> Response:
        """The values of the phone's file, each with its layer. 409 where its profile is a file, or it has none."""
        told = explained(self.get_object(), reveal=self.actor.reveals)
        return Response(PhoneConfigurationRecord(told).data)

    @extend_schema(responses=FILE)
    @action(detail=True, url_path="configuration/file")
    def rendered(self, request: Request, mac: str) -> Response:
        """The file as it would be made now. 409 with the reason where none can be made."""
        phone = self.get_object()
        content = file_for(phone, reveal=self.actor.reveals)
        shown = content if self.actor.reveals else sep.redact(content)
        name = sep.file_name(phone.mac, sep.format_of_content(phone.model, content))
        return Response(RenderedFileRecord({"file_name": name, "cnf_xml": sep.decode(shown)}).data)
