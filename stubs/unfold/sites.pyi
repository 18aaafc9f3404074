from typing import Any

from django.contrib.admin import AdminSite
from django.http import HttpRequest, HttpResponse

class UnfoldAdminSite(AdminSite):
    # Django's own, without the kinds of mappings that it takes too.
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse: ...
