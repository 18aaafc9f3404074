"""Lists whose rows change by themselves: their page asks for them again while somebody looks (`admin.js`)."""

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from contacts_app.core.admin.frame import Framed


class LiveList(Framed):
    """Mixed into the pages of such a model. A page that asks again gets the same rows without what is around them."""

    list_after_template = "contacts_app/core/live_list.html"
    live_seconds = 4

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> HttpResponse:
        answer = super().changelist_view(request, extra_context)
        if "X-Live-List" in request.headers and isinstance(answer, TemplateResponse):
            answer.template_name = "contacts_app/core/live_list_rows.html"
        return answer
