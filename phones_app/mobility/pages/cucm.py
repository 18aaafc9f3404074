"""CUCM's own URLs, so that its phones and the programs written against it go on unchanged: `/emapp/EMAppServlet` for
phones (mobility spec §5.2), `/emservice/EMServiceServlet` for programs (Cisco phones spec §6.3).
"""

from django.core.exceptions import BadRequest, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from contacts_app.core.actor import Actor
from contacts_app.core.api.authentication import actor_behind
from contacts_app.core.api.throttling import RateOfCredential
from contacts_app.core.net.http import basic_token
from contacts_app.tokens.models import PREFIX
from phones_app.mobility import cucm, emservice, screens
from phones_app.mobility.codes import EmCode
from phones_app.mobility.emservice import EmRefused, EmRequest
from phones_app.mobility.pages import login
from phones_app.mobility.pages.frame import Ask, for_phones

# How an API token begins, which stands in place of a password here.
API_TOKEN = f"{PREFIX}_"


@csrf_exempt
@sensitive_post_parameters("xml")
def em_service(request: HttpRequest) -> HttpResponse:
    """Always 200 and XML: what failed is told by its code, as CUCM does."""
    try:
        if request.method != "POST":
            # Some programs send the XML in the query, where logs would keep the password.
            raise EmRefused(EmCode.UNREADABLE, "Only POST is taken")
        asked = emservice.read_request(_xml(request))
        content = cucm.answer(asked, _identified(request, asked))
    except EmRefused as refused:
        content = emservice.failure(refused.code, refused.words)
    return HttpResponse(content, content_type="text/xml; charset=utf-8")


def _xml(request: HttpRequest) -> bytes:
    """Raises EmRefused: a form that is too large, or is none, Django would answer with a page."""
    try:
        return str(request.POST.get("xml", "")).encode()
    except (BadRequest, SuspiciousOperation, MultiPartParserError):
        raise EmRefused(EmCode.UNREADABLE, "The form cannot be read") from None


def _identified(request: HttpRequest, asked: EmRequest) -> Actor:
    """Whose credential `appInfo` holds: an API token, or name and password of a person. Raises EmRefused."""
    if not asked.app_certificate:
        raise EmRefused(EmCode.NOT_AUTHORISED)
    pair = basic_token(asked.app_id, asked.app_certificate)
    is_token = asked.app_certificate.startswith(API_TOKEN)
    asks = Request(request)
    try:
        actor = actor_behind(asks, *("bearer", asked.app_certificate) if is_token else ("basic", pair))
    except APIException as error:
        raise EmRefused(EmCode.INVALID_APP_USER, str(error.detail)) from None
    if actor.read_only and asked.what in emservice.ACTIONS:
        raise EmRefused(EmCode.NO_PROXY_RIGHTS)
    # History reads there whose work it is, and the limit of requests whose they are.
    asks.user = actor  # type: ignore[assignment]
    if not RateOfCredential().allow_request(asks, em_service):
        raise EmRefused(EmCode.BUSY)
    return actor


@for_phones
def em_app(ask: Ask) -> screens.Screen:
    """CUCM's one page for all: which of ours it is, its parameters say (`userid`, `seq`, `doLogout`, `loginType`)."""
    if ask.sent("doLogout").lower() == "true":
        return login.logout_screen(ask)
    if ask.sent("userid", "user") and ask.sent("seq", "pin"):
        return login.login_screen(ask)
    return login.entry_screen(ask)


urlpatterns = [
    path("emapp/EMAppServlet", em_app, name="phone-services-emapp"),
    path("emservice/EMServiceServlet", em_service, name="em-service"),
]
