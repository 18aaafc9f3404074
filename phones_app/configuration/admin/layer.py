"""Layers: the values that one place gives to the files of its phones, from the portal down to a single phone."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import action, display

from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url, page_of
from contacts_app.core.admin.search import Hit, Hits, named
from phones_app.configuration.admin.confirm import AsksBeforeSaving
from phones_app.configuration.admin.fragments import FragmentPages
from phones_app.configuration.admin.layer_form import ABOUT, WITH_LINES, LayerForm
from phones_app.configuration.admin.values import (
    blank_row,
    in_groups,
    locks_without_values,
    rows_of_layer,
    settings_by_group,
)
from phones_app.configuration.changes import phones_of_layer
from phones_app.configuration.effect import FileEffect, what_changes, what_deleting_changes
from phones_app.configuration.models import Layer, LayerLine
from phones_app.inventory.models import Phone
from profiles_app.phone.admin.revision import may_reveal
from profiles_app.phone.models import Line
from profiles_app.phone.rendering.settings import all_settings, find_setting

LINES_OFFERED = 200


def place_of(layer: Layer) -> str:
    """What the layer is about, without its kind."""
    about = layer.account if layer.kind == Layer.Kind.ACCOUNT else layer.group or layer.profile or layer.phone
    return str(about or layer.name or "all phones")


def _with_field(name: str) -> list[str]:
    return [kind for kind, about in ABOUT.items() if name in about]


def settings_found(request: HttpRequest, words: str) -> Hits:
    """Settings of phones' files, which lead to the layer where most people change them: of their account, or the
    portal's.
    """
    found = [each for each in all_settings() if named(words, each.label, each.name, each.group)]
    if not found or not request.user.has_perm("phones_app.view_layer"):
        return Hits("Settings of phones", "tune")
    account = actor_of(request).account
    layers = Layer.objects.filter(kind=Layer.Kind.ACCOUNT if account else Layer.Kind.PORTAL, account=account)
    key = layers.values_list("pk", flat=True).first()
    url = reverse("admin:phones_app_layer_change", args=[key]) if key else list_url(Layer)
    # What is called so before what stands in a group that is.
    found.sort(key=lambda each: not named(words, each.label, each.name))
    hits = [Hit(each.label, url, f"{each.name} · {each.group}") for each in found]
    return Hits("Settings of phones", "tune", hits, list_url(Layer))


class LayerPages(FragmentPages, AsksBeforeSaving):
    """Tenants see those of the portal too, which its staff make."""

    form = LayerForm
    tenant_shares = True
    pages = {"row": "row/"}
    chosen_once = ("kind", "account", "name", "group", "profile", "phone")
    list_display = ("place", "kind_here", "owner", "number", "locked", "changed")
    list_display_links = ("place",)
    list_select_related = ("account", "group", "profile", "phone", "key_layout")
    list_filter = ("kind", "account")
    search_fields = ("name", "group__name", "profile__name", "phone__name", "phone__mac")
    search_help_text = "Location, model, group, profile or phone"
    autocomplete_fields = ("account", "group", "profile", "phone", "key_layout")
    conditional_fields = {
        # The kind of a row that is there is no field of its form.
        name: " || ".join(["typeof kind === 'undefined'", *(f"kind == '{kind}'" for kind in _with_field(name))])
        for name in ("account", "name", "group", "profile", "phone")
    }
    change_form_outer_after_template = "phones_app/configuration/layer.html"
    place = column("Layer", place_of)
    owner = column("Account", lambda layer: layer.account or "all accounts")
    number = column("Values", lambda layer: len(layer.values) + len(layer.secrets))
    locked = column("Locked", lambda layer: len(layer.locks) or "–")
    changed = ago_column("updated_at", "Updated")

    @display(description="Kind", ordering="kind")
    def kind_here(self, layer: Layer) -> str:
        return layer.get_kind_display()

    def get_queryset(self, request: HttpRequest) -> QuerySet[Layer]:
        rows: QuerySet[Layer] = super().get_queryset(request).defer("phone__web_password", "profile__description")
        return rows

    def get_fieldsets(self, request: HttpRequest, obj: Layer | None = None) -> Any:
        about = ABOUT[obj.kind] if obj else ("account", "name", "group", "profile", "phone")
        kind = obj.kind if obj else None
        lines = [("Lines", {"fields": ("line_rows",), "classes": ("pb-wide",)})] if kind in (None, *WITH_LINES) else []
        return (
            (None, {"fields": ("kind", *about)}),
            ("Values", {"fields": ("value_rows",), "classes": ("pb-wide",)}),
            ("Keys and locks", {"fields": ("key_layout", "more_locks")}),
            *lines,
            ("Fragments", {"fields": ("fragment_rows",), "classes": ("pb-wide",)}),
        )

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if field := form.base_fields.get("value_rows"):
            field.widget.more = {"known": settings_by_group(), "row_url": self.url_of("row")}
        if field := form.base_fields.get("line_rows"):
            field.widget.more = field.widget.more | {"offered": self._lines(request, obj)}
        return form

    def _lines(self, request: HttpRequest, obj: Layer | None) -> QuerySet[Line]:
        rows = actor_of(request).sees(Line.objects.all())
        rows = rows.filter(account=obj.account_id) if obj else rows
        return rows.defer("auth_password").order_by("extension")[:LINES_OFFERED]

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, str | list[str]]:
        given: dict[str, str | list[str]] = super().get_changeform_initial_data(request)
        return {"kind": Layer.Kind.LOCATION.value, **given}

    @action(description="All phones…", icon="public", permissions=["view"])
    def widest(self, request: HttpRequest) -> HttpResponse:
        """The layer of all the person's phones, among many of single ones; the form for it, while there is none."""
        account = actor_of(request).account
        kind = Layer.Kind.PORTAL if account is None else Layer.Kind.ACCOUNT
        if layer := self.tenant_rows(request).filter(kind=kind, account=account).first():
            return HttpResponseRedirect(page_of(layer))
        asked = {"kind": kind.value} | ({"account": account.pk} if account else {})
        return HttpResponseRedirect(f"{self.url_of('add')}?{urlencode(asked)}")

    def row_page(self, request: HttpRequest) -> HttpResponse:
        """One row of the table of values, to be filled in: of the setting that was chosen, or of a variable."""
        self.require(request, "phones_app.view_layer")
        name = request.GET.get("setting", "")
        row = blank_row(name if find_setting(name) else "")
        return render(request, "phones_app/configuration/value_row.html", {"row": row, "name": "value_rows"})

    def effect(self, request: HttpRequest, before: Any, after: Any, form: Any) -> FileEffect | None:
        """A new layer takes the place of nothing, which a row without a key stands for."""
        lines = form.found_lines if after.kind in WITH_LINES else None
        return what_changes(before or after, after, lines=lines, reveal=may_reveal(request))

    def effect_of_deleting(self, request: HttpRequest, rows: Sequence[Layer]) -> FileEffect | None:
        return what_deleting_changes(rows, reveal=may_reveal(request))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        layer: Layer = form.instance
        if layer.kind in WITH_LINES:
            _set_lines(layer, form.found_lines)
        super().save_related(request, form, formsets, change)

    def shown(self, request: HttpRequest, row: Layer) -> dict[str, object]:
        return {"layer": row} | self.behind_context(request, row)

    def concerned(self, request: HttpRequest, row: Layer) -> QuerySet[Phone]:
        return actor_of(request).sees(phones_of_layer(row).defer("web_password"))

    # Read by who may not change the layer.
    @display(description="Values")
    def value_rows(self, layer: Layer) -> SafeString:
        return _table("values_shown", groups=in_groups(rows_of_layer(layer)))

    @display(description="Locked without a value")
    def more_locks(self, layer: Layer) -> str:
        return ", ".join(locks_without_values(layer)) or "–"

    @display(description="Lines")
    def line_rows(self, layer: Layer) -> str:
        return ", ".join(str(use.line) for use in layer.line_uses.select_related("line")) or "–"

    @display(description="Fragments")
    def fragment_rows(self, layer: Layer) -> SafeString:
        return _table("fragments_shown", fragments=layer.fragments)


def _table(name: str, **context: object) -> SafeString:
    return SafeString(render_to_string(f"phones_app/configuration/{name}.html", context))


def _set_lines(layer: Layer, lines: list[Line]) -> None:
    """The lines in this order; those that stay where they are stay as they are, for the history's sake."""
    now = [use.line_id for use in layer.line_uses.all()]
    if now == [line.pk for line in lines]:
        return
    for use in layer.line_uses.all():
        use.delete()
    for position, line in enumerate(lines, 1):
        LayerLine.objects.create(layer=layer, line=line, position=position)
