"""Where the admin's pages are, and how a coloured word looks. Template tags need both, and Django loads these before
the admin's theme, so that nothing here may import the theme."""

from typing import Any

from django.db.models import Model
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model: type[Model], **filters: Any) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters, doseq=True)}" if filters else url


def label(text: str, colour: str, title: str = "") -> SafeString:
    """A word in the colour of what it means; `title` is shown on hovering."""
    context = {"text": text, "type": colour, "label_title": title}
    return SafeString(render_to_string("unfold/helpers/label.html", context))
