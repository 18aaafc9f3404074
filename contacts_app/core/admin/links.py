"""Where the admin's pages are, what explains them, and how a coloured word looks. Template tags need all three, and
Django loads these before the admin's theme, so that nothing here may import the theme."""

from functools import lru_cache
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.template.loader import render_to_string
from django.urls import get_script_prefix, reverse
from django.utils.http import urlencode
from django.utils.safestring import SafeString

Row = TypeVar("Row", bound=Model)


def page_of(row: Model) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


def list_url(model: type[Model], **filters: Any) -> str:
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    return f"{url}?{urlencode(filters, doseq=True)}" if filters else url


def list_title(model: type[Model]) -> str:
    """As the menu calls the list, so that people find above it the words that they chose."""
    name = str(model._meta.verbose_name_plural)
    return title_in_menu(list_url(model), name[:1].upper() + name[1:])


def title_in_menu(url: object, otherwise: str) -> str:
    return _titles(get_script_prefix()).get(str(url), otherwise)


@lru_cache(maxsize=8)
def _titles(prefix: str) -> dict[str, str]:
    """By the links of the menu, which depend on where the portal is mounted."""
    unfold: dict[str, Any] = settings.UNFOLD
    sections: list[dict[str, Any]] = unfold["SIDEBAR"]["navigation"]
    return {str(item["link"]): item["title"] for section in sections for item in section["items"]}


def help_of(page: str) -> dict[str, str]:
    """What explains a page, by the name of its URL: its own section of `settings.HELP`, that of such a page of every
    list (`*_columns`), or the longest one that the name begins with.
    """
    names = page.split("_")
    of_all = ("_".join(["*", *names[start:]]) for start in range(1, len(names)))
    parts = ("_".join(names[:end]) for end in range(len(names), 0, -1))
    found: dict[str, str] = next((settings.HELP[name] for name in (page, *of_all, *parts) if name in settings.HELP), {})
    return found | {"url": help_url(found["chapter"])} if found else {}


def help_url(chapter: str = "") -> str:
    file, _, place = chapter.partition("#")
    url = reverse("admin:help", args=[file]) if file else reverse("admin:help_index")
    return f"{url}#{place}" if place else url


def label(text: str, colour: str, title: str = "") -> SafeString:
    """A word in the colour of what it means; `title` is shown on hovering."""
    context = {"text": text, "type": colour, "label_title": title}
    return SafeString(render_to_string("unfold/helpers/label.html", context))


def of_address(rows: QuerySet[Row], object_id: object) -> QuerySet[Row]:
    """The row of these that an address is about; none where what it names is no key, as it may be anything."""
    key: Any = rows.model._meta.pk
    try:
        return rows.filter(pk=key.to_python(unquote(str(object_id))))
    except ValidationError:
        return rows.none()
