"""`/cisco/services/authenticate`: a phone asks whether to obey a push (Cisco phones spec §1.5)."""

from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.http import require_http_methods

from phones_app.mobility.pages.frame import address_of, mac_in
from phones_app.mobility.services import is_push_authorised, pushed_phone


@require_http_methods(["GET", "HEAD"])
def authenticate(request: HttpRequest) -> HttpResponse:
    """All but `AUTHORIZED` refuses."""
    mac = mac_in(request.GET.get("devicename", ""))
    authorised = is_push_authorised(
        pushed_phone(mac) if mac else None,
        username=request.GET.get("UserID", ""),
        password=request.GET.get("Password", ""),
        address=address_of(request),
    )
    return HttpResponse("AUTHORIZED" if authorised else "UNAUTHORIZED", content_type="text/plain")


urlpatterns = [path("authenticate", authenticate, name="phone-services-authenticate")]
