"""CUCM's own URLs, so that its phones and the programs written against it go on unchanged: `/emapp/EMAppServlet` for
phones (mobility spec §5.2), `/emservice/EMServiceServlet` for programs (Cisco phones spec §6.3).
"""

import base64

from django.http import HttpResponse
from django.urls import path
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.views import APIView

from contacts_app.core.actor import Actor
from contacts_app.core.api.authentication import actor_behind
from contacts_app.core.api.throttling import RateOfCredential
from contacts_app.tokens.models import PREFIX
from phones_app.mobility import cucm, emservice
from phones_app.mobility.codes import EmCode
from phones_app.mobility.emservice import EmRefused, EmRequest

CONTENT_TYPE = "text/xml; charset=utf-8"
# How an API token begins, which stands in place of a password here.
API_TOKEN = f"{PREFIX}_"


@method_decorator(sensitive_post_parameters("xml"), name="dispatch")
class EmService(APIView):
    """Always 200 and XML: what failed is told by its code, as CUCM does."""

    authentication_classes = []
    permission_classes = []
    schema = None

    def post(self, request: Request) -> HttpResponse:
        try:
            asked = emservice.read_request(_xml(request))
            content = cucm.answer(asked, self._identified(request, asked))
        except EmRefused as refused:
            content = emservice.failure(refused.code, refused.words)
        return HttpResponse(content, content_type=CONTENT_TYPE)

    # Some programs send the XML in the query, where logs would keep the password.
    def get(self, request: Request) -> HttpResponse:
        return HttpResponse(emservice.failure(EmCode.UNREADABLE, "Only POST is taken"), content_type=CONTENT_TYPE)

    @staticmethod
    def _identified(request: Request, asked: EmRequest) -> Actor:
        """Whose credential `appInfo` holds: an API token, or name and password of a person. Raises EmRefused."""
        if not asked.app_certificate:
            raise EmRefused(EmCode.NOT_AUTHORISED)
        pair = base64.b64encode(f"{asked.app_id}:{asked.app_certificate}".encode()).decode()
        is_token = asked.app_certificate.startswith(API_TOKEN)
        try:
            actor = actor_behind(request, *("bearer", asked.app_certificate) if is_token else ("basic", pair))
        except APIException as error:
            raise EmRefused(EmCode.INVALID_APP_USER, str(error.detail)) from None
        if actor.read_only and asked.what in emservice.ACTIONS:
            raise EmRefused(EmCode.NO_PROXY_RIGHTS)
        request.user = actor  # type: ignore[assignment]
        if not RateOfCredential().allow_request(request, None):
            raise EmRefused(EmCode.BUSY)
        return actor


def _xml(request: Request) -> bytes:
    return str(request.data.get("xml", "")).encode() if hasattr(request.data, "get") else b""


urlpatterns = [path("emservice/EMServiceServlet", EmService.as_view(), name="em-service")]
