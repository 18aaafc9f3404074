"""Who gets through to a page of the portal, and what every answer has: language, headers, errors in its looks."""

from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect, JsonResponse
from django.template.response import SimpleTemplateResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import add_never_cache_headers, patch_vary_headers

from contacts_app.people.second_factor import is_lacking
from profiles_app.myaccount.portal.pages import show
from profiles_app.myaccount.portal.visitor import visitor_of

View = Callable[..., HttpResponseBase]
LANGUAGE_COOKIE = "portal_language"
# Unlike the admin's theme, the portal's pages have no scripts or styles in them: their policy is the strict one.
POLICY: dict[str, list[str]] = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "connect-src": ["'self'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
}


def language_of(request: HttpRequest) -> str:
    """The one that was chosen, else what the browser asks for, else English."""
    chosen = request.COOKIES.get(LANGUAGE_COOKIE, "")
    if chosen in dict(settings.LANGUAGES):
        return chosen
    return translation.get_language_from_request(request)


def dressed(view: View) -> View:
    """For every page of the portal, also those before the log-in."""

    @wraps(view)
    def inner(request: HttpRequest, *args: object, **named: object) -> HttpResponseBase:
        with translation.override(language_of(request)):
            try:
                response = view(request, *args, **named)
            except (Http404, PermissionDenied) as error:
                response = refused(request, 404 if isinstance(error, Http404) else 403)
            if isinstance(response, SimpleTemplateResponse):
                response = response.render()
        if response.headers.get("Cache-Control") is None:
            add_never_cache_headers(response)
        patch_vary_headers(response, ("Accept-Language", "Cookie"))
        response._csp_config = POLICY  # type: ignore[attr-defined]
        return response

    return inner


def refused(request: HttpRequest, status: int, why: str = "") -> HttpResponse:
    """The page for people that says so; programs that ask for JSON get that. `why` stands beside a 403."""
    if request.path.endswith(".json"):
        words = {404: "not found", 403: "forbidden", 429: "too many requests"}
        return JsonResponse({"error": words[status]}, status=status)
    told = {"status": status, "why": why}
    return show(request, "profiles_app/myaccount/portal/refused.html", told, status=status)


def turned_away(request: HttpRequest, status: int, why: str = "") -> HttpResponseBase:
    """The same where no view has been reached."""
    return dressed(lambda request: refused(request, status, why))(request)


def nowhere(request: HttpRequest, rest: str) -> HttpResponseBase:
    """Of an address that only lacks the slash at its end, the page; as Django does where nothing else fits."""
    if not rest.endswith("/") and request.method in ("GET", "HEAD"):
        return HttpResponseRedirect(f"{request.path}/")
    raise Http404


def guarded(view: View) -> View:
    """For a page behind the log-in: the visitor is known, and has shown a second factor where there is one."""

    def inner(request: HttpRequest, **named: object) -> HttpResponseBase:
        visitor = visitor_of(request)
        if visitor is None:
            onward = request.get_full_path() if request.method in ("GET", "HEAD") else reverse("portal:home")
            return redirect_to_login(onward, reverse("portal:login"))
        if is_lacking(request):
            return HttpResponseRedirect(reverse("portal:second-factor"))
        request.visitor = visitor  # type: ignore[attr-defined]
        with timezone.override(visitor.zone):
            return view(request, **named)

    return dressed(inner)
