"""Creating where the guide's slip of the pen puts it: `POST /profiles/PROFILE_ID` (events spec §2.1).

Clients written from that page send some id, or the very words, and the server gives the new object its own id.
"""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path
from django.views.decorators.csrf import csrf_exempt
from rest_framework.views import APIView


def item_paths(route: str, item: type[APIView], collection: type[APIView]) -> list[URLPattern]:
    """The URLs of single objects, on which a POST creates a new one as it does on the list."""
    item_view, collection_view = item.as_view(), collection.as_view()

    def creates(request: HttpRequest) -> bool:
        return request.method == "POST" and settings.EVENTS_ID_ON_CREATE

    @csrf_exempt
    def numbered(request: HttpRequest, id: int, **kwargs: Any) -> HttpResponseBase:
        return collection_view(request, **kwargs) if creates(request) else item_view(request, id=id, **kwargs)

    @csrf_exempt
    def otherwise(request: HttpRequest, id: str, **kwargs: Any) -> HttpResponseBase:
        if not creates(request):
            raise Http404
        return collection_view(request, **kwargs)

    # The OpenAPI document tells the truth: what is at this URL is the object.
    numbered.cls, numbered.initkwargs = item, {}  # type: ignore[attr-defined]
    return [path(f"{route}/<int:id>", numbered), path(f"{route}/<str:id>", otherwise)]
