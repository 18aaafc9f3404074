"""The admin's site: who is let in, and what the pages before and after that offer."""

from typing import Any, cast

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode
from unfold.sites import UnfoldAdminSite

from contacts_app.core.admin.links import help_of
from contacts_app.people.second_factor import is_lacking
from contacts_app.people.single_sign_on import logout_url


class PortalSite(UnfoldAdminSite):
    login_template = "contacts_app/people/login.html"
    logout_template = "contacts_app/people/logged_out.html"

    def has_permission(self, request: HttpRequest) -> bool:
        """Every page of the admin asks this; a person who has still to show a second factor is not in."""
        return super().has_permission(request) and not is_lacking(request)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        if request.method == "GET" and super().has_permission(request) and is_lacking(request):
            return HttpResponseRedirect(f"{reverse('second_factor')}?{_onward(request)}")
        offered = {
            "local_login": settings.LOCAL_LOGIN,
            "single_sign_on": settings.OIDC_NAME if settings.OIDC_ISSUER else "",
            "onward": _onward(request),
        }
        return super().login(request, offered | (extra_context or {}))

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        by_provider = request.session.get(BACKEND_SESSION_KEY) == settings.OIDC_BACKEND
        back = request.build_absolute_uri(reverse("admin:login"))
        left = {"provider_logout": logout_url(back) if by_provider else "", "provider_name": settings.OIDC_NAME}
        return super().logout(request, left | (extra_context or {}))

    def extra_urls(self) -> list[URLPattern]:
        # With the pages, which workers and commands do without.
        from contacts_app.core.admin.help import help_index_page, help_page
        from contacts_app.people.desk import first_steps_page, time_zone_page, work_page

        return [
            path("first-steps/", self.admin_view(first_steps_page), name="first_steps"),
            path("time-zone/", self.admin_view(time_zone_page), name="time_zone"),
            path("work/", self.admin_view(work_page), name="work"),
            path("help/", self.admin_view(help_index_page), name="help_index"),
            path("help/<path:chapter>", self.admin_view(help_page), name="help"),
        ]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        from contacts_app.core.admin.work import work_of

        page = request.resolver_match.url_name if request.resolver_match else ""
        # Pages of the log-in show no bell.
        own_work = SimpleLazyObject(lambda: work_of(request))
        return super().each_context(request) | {"help": help_of(page or ""), "own_work": own_work}

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[dict[str, Any]]:
        """Made when a page shows it: our menu is another one, and this takes an eighth of the time of a page."""
        make = super().get_app_list
        return cast(list[dict[str, Any]], SimpleLazyObject(lambda: make(request, app_label)))

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """What the search over everything has found, to be put into the page."""
        from contacts_app.core.admin.search import search_everything

        term = request.GET.get("s", "").strip()
        context = {"term": term, "kinds": search_everything(request, term)}
        return TemplateResponse(request, "contacts_app/core/found.html", context)


def _onward(request: HttpRequest) -> str:
    """The query that leads to the page which was asked for in the beginning."""
    wanted = request.GET.get(REDIRECT_FIELD_NAME)
    return urlencode({REDIRECT_FIELD_NAME: wanted}) if wanted else ""
