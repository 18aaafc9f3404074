"""What the views of all wire dialects have in common: who asks, and that there is nothing but JSON."""

from typing import Any, ClassVar, cast

from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from contacts_app.api.dialect import Dialect
from contacts_app.services.actor import Actor


class JsonAlone(DefaultContentNegotiation):
    """There is JSON only, so neither an Accept header nor `?format=` can be wrong."""

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return renderers[0], renderers[0].media_type


class Utf8Renderer(JSONRenderer):
    """JSON that names its character set, as the servers of some documents do."""

    charset = "utf-8"


class DialectView(APIView):
    """A view that speaks its `dialect`, in errors too."""

    dialect: ClassVar[Dialect]
    content_negotiation_class: type[DefaultContentNegotiation] = JsonAlone
    metadata_class = None

    @property
    def actor(self) -> Actor:
        """Who asks; the one authentication of Patchbay puts no other kind of user there."""
        return cast(Actor, self.request.user)

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        # A charset in the request's Content-Type would be used for the query string too, whatever it is.
        request.encoding = "utf-8"
        return super().initialize_request(request, *args, **kwargs)
