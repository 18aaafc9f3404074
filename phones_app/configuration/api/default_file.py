"""`/default-file`: XMLDefault.cnf.xml as phones without a file get it, and what it is made from."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import answers, envelope
from contacts_app.core.api.fields import Shape
from phones_app.configuration.default_file import explained_default
from profiles_app.phone.sep.default_file import NAME


class DefaultLineRecord(Shape):
    what = serializers.CharField(help_text="Such as: Load of 7962.")
    value = serializers.CharField()
    source = serializers.CharField(help_text="The layer that gives it, such as `model 7962`.")  # type: ignore[assignment]


class DefaultFileRecord(Shape):
    file_name = serializers.CharField()
    content = serializers.CharField(help_text="Empty: no file is made.")
    lines = DefaultLineRecord(many=True)
    remarks = serializers.ListField(child=serializers.CharField(), help_text="What is left out, or given instead.")


class DefaultFiles(FamilyViewSet):
    serializer_class = DefaultFileRecord
    rights = {"list": "phones_app.view_layer"}
    filter_backends = []
    pagination_class = None
    messages = {"list": "Default file made"}

    @extend_schema(responses=answers(200, envelope("DefaultFile", DefaultFileRecord, metadata=None)))
    def list(self, request: Request) -> Response:
        """The file for phones that have none, made from the layers without an account, with the layer of each line."""
        made = explained_default()
        if not made.content:
            self.message = "There is no default file"
        record = {
            "file_name": NAME,
            "content": made.content.decode(),
            "lines": [line._asdict() for line in made.lines],
            "remarks": made.remarks,
        }
        return Response(DefaultFileRecord(record).data)
