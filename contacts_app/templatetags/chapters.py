"""What explains a list, where its template sees nothing else of the page."""

from typing import Any

from django import template

from contacts_app.core.admin.links import help_of

register = template.Library()


@register.filter
def help_of_list(opts: Any) -> dict[str, str]:
    """The words and the chapter of a model's list, by the model's `_meta`."""
    return help_of(f"{opts.app_label}_{opts.model_name}_changelist")
