"""What explains a list and how the menu calls it, where its template sees nothing else of the page."""

from typing import Any

from django import template

from contacts_app.core.admin.links import help_of, title_in_menu

register = template.Library()


@register.filter
def help_of_list(opts: Any) -> dict[str, str]:
    """The words and the chapter of a model's list, by the model's `_meta`."""
    return help_of(f"{opts.app_label}_{opts.model_name}_changelist")


@register.simple_tag
def title_of_list(part: Any) -> str:
    """Of a part of the way to a page, by the theme: its link and its title."""
    title = str(part["title"])
    return title_in_menu(part["link"], title[:1].upper() + title[1:])
