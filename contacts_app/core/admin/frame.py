"""Who is at the desk, and pages of one's own in the frame of the admin."""

import copy
from typing import Any, ClassVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from contacts_app.core.actor import Actor
from contacts_app.core.admin.links import list_title


def actor_of(request: HttpRequest) -> Actor:
    """The logged-in person as services know them."""
    user: Any = request.user
    actor: Actor = user.as_actor("admin")
    return actor


def tell(request: HttpRequest, done: object, text: str) -> None:
    """Say what was done, as a warning when it is nothing."""
    (messages.success if done else messages.warning)(request, text)


class Framed(ModelAdmin):
    # Pages beside Django's own: under which route of the model's each method is found. Mixins add theirs.
    pages: ClassVar[dict[str, str]] = {}

    def get_urls(self) -> list[URLPattern]:
        own = {name: route for part in type(self).__mro__ for name, route in vars(part).get("pages", {}).items()}
        named = [
            path(route, self.admin_site.admin_view(getattr(self, f"{name}_page")), name=f"{self.base_name}_{name}")
            for name, route in own.items()
        ]
        return [*named, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, str] | None = None) -> HttpResponse:
        return super().changelist_view(request, {"title": list_title(self.model)} | (extra_context or {}))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """With fields of this request's own: Django has declared fields shared by the forms of all requests, and what
        one person may choose would be offered to another whose form is made at the same moment.
        """
        form = super().get_form(request, obj, change, **kwargs)
        form.base_fields = copy.deepcopy(form.base_fields)
        return form

    @property
    def base_name(self) -> str:
        """What the names of the model's URLs begin with."""
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def url_of(self, page: str, *args: object) -> str:
        return reverse(f"admin:{self.base_name}_{page}", args=args)

    def page(self, request: HttpRequest, template: str, title: str, **context: Any) -> TemplateResponse:
        """A page of one's own in the frame of the admin."""
        request.current_app = self.admin_site.name
        frame = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "media": self.media}
        return TemplateResponse(request, template, frame | context)
