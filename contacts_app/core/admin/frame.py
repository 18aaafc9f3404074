"""Who is at the desk, and pages of one's own in the frame of the admin."""

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.admin import ModelAdmin

from contacts_app.core.actor import Actor


def actor_of(request: HttpRequest) -> Actor:
    """The logged-in person as services know them."""
    user: Any = request.user
    actor: Actor = user.as_actor("admin")
    return actor


class Framed(ModelAdmin):  # type: ignore[misc]
    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        """A page of one's own in the frame of the admin."""
        request.current_app = self.admin_site.name
        frame = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": title,
            "media": self.media,
        }
        return TemplateResponse(request, template, frame | context)
