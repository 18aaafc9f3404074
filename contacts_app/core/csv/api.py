"""Rows as CSV, and CSV as rows, all or none: a route of /api/v1 for each kind of CSV file."""

from dataclasses import asdict
from io import BytesIO
from typing import Any

from django.db.models import Model
from django.http import HttpResponseBase, StreamingHttpResponse
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from contacts_app.core.api.dialect import BodyTooLarge
from contacts_app.core.api.family import FamilyViewSet
from contacts_app.core.api.family_document import Failure, answers, envelope
from contacts_app.core.api.fields import TRUTH, Shape
from contacts_app.core.csv.format import CsvFormat, export_csv
from contacts_app.core.csv.importing import import_csv
from contacts_app.core.csv.text import MAX_BYTES
from contacts_app.core.history.authorship import because

CSV, OCTETS = "text/csv", "application/octet-stream"


class CsvParser(BaseParser):
    """The body as it is; what is wrong with it is told by row."""

    media_type = CSV

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        content = stream.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise BodyTooLarge(f"The file is larger than {MAX_BYTES} bytes.")
        return BytesIO(content)


class BytesParser(CsvParser):
    """The same under the name that every client has for a body that is a file."""

    media_type = OCTETS


class CsvCounts(Shape):
    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    stored = serializers.BooleanField(help_text="False after a dry run.")


class CsvError(Shape):
    row = serializers.IntegerField(required=False, help_text="As spreadsheets number them: the header is 1.")
    column = serializers.CharField(required=False, help_text="Empty: the row as a whole.")
    field = serializers.CharField(required=False, help_text="Instead of both: what is wrong in the query.")
    message = serializers.CharField()


class CsvFailure(Failure):
    errors = CsvError(many=True, required=False)  # type: ignore[assignment]


class DryRun(Shape):
    dry_run = serializers.ChoiceField(choices=list(TRUTH), default="false")


class CsvViewSet(FamilyViewSet):
    """The routes of one `csv_format`."""

    csv_format: type[CsvFormat] = CsvFormat
    # An import makes rows and changes others.
    rights = {"create": ("add", "change")}
    parser_classes = [CsvParser, BytesParser]

    def model(self) -> type[Model]:
        return self.csv_format.model

    @extend_schema(
        responses={(200, CSV): OpenApiTypes.STR, **answers(401, Failure)},
        description="All rows that the caller sees. Secrets have no column; cells that a spreadsheet would carry out "
        "begin with an apostrophe, which import takes away.",
    )
    def retrieve(self, request: Request) -> HttpResponseBase:
        pieces = export_csv(self.csv_format(self.actor))
        response = StreamingHttpResponse(pieces, content_type=f"{CSV}; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{self.csv_format.kind}.csv"'
        return response

    @extend_schema(
        parameters=[OpenApiParameter("dry_run", enum=list(TRUTH), description="Check and count only.")],
        # Generators of clients know no request bodies of text/csv.
        request={OCTETS: OpenApiTypes.BINARY},
        responses=answers(200, envelope("Csv", CsvCounts), 409, 413, 415) | {400: CsvFailure},
        description="Every row is checked first. With any error nothing is stored and all of them are answered; else "
        "all is stored in one transaction. Columns that are left out stay as they are, unknown ones are an error. The "
        "body is CSV in UTF-8, as `text/csv` or as here.",
    )
    def create(self, request: Request) -> Response:
        dry_run = TRUTH[self.asked(DryRun)["dry_run"]]
        file = request.data if isinstance(request.data, BytesIO) else BytesIO()
        with because("Imported as CSV"):
            report = import_csv(file, self.csv_format(self.actor), dry_run=dry_run)
        if report.errors:
            message = f"{report.error_count} error(s); nothing was stored"
            body = self.dialect.error(400, message, {}, "invalid-rows")
            body["errors"] = [asdict(one) for one in report.errors]
            return Response(body, status=400, exception=True)
        self.message = "Imported" if report.stored else "Checked"
        return Response(CsvCounts(report).data)


def csv_route(name: str, csv_format: type[CsvFormat]) -> URLPattern:
    """`/{name}.csv`: GET exports, POST imports."""
    return path(f"{name}.csv", CsvViewSet.as_view({"get": "retrieve", "post": "create"}, csv_format=csv_format))
