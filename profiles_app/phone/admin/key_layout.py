"""Key layouts: the keys of a phone by their positions, in an editor beside a picture of a phone that has them."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import render
from unfold.widgets import UnfoldAdminSelectWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import ago_column, column
from contacts_app.core.admin.rows import Row, RowsField
from profiles_app.phone import sep
from profiles_app.phone.key_picture import picture_of
from profiles_app.phone.models import KeyLayout
from profiles_app.phone.rendering.keys import KeyOption, all_kinds, find_kind, kinds_for
from profiles_app.phone.rendering.values import KeyOf

# A key as a layout stores it, or as a row of the table shows it.
KeyFields = dict[str, Any]
MODULES = 3
MOST_KEYS = 200
LONGEST_TARGET, LONGEST_LABEL = 255, 64
# For who fills the table in without scripts.
SPARE_KEYS = 4
PLACES = ("the phone", *(f"expansion module {number}" for number in range(1, MODULES + 1)))


def key_of(row: Row) -> KeyOf:
    """A typed row as a key. Raises ValueError with a sentence for people."""
    module = int(row["#"].partition(".")[0] or 0)
    position, line = row.get("position", "").strip(), row.get("line", "").strip()
    kind = find_kind(row.get("kind", ""))
    if kind is None:
        raise ValueError(f"There is no kind of key “{row.get('kind', '')[:40]}”.")
    where = f"Key {position[:5]} of {PLACES[module]}"
    if not (position.isascii() and position.isdigit() and 0 < int(position[:5]) <= MOST_KEYS):
        raise ValueError(f"{PLACES[module].capitalize()}: the position of a key is a number from 1 to {MOST_KEYS}.")
    if line and not (line.isascii() and line.isdigit() and 0 < int(line[:5]) <= MOST_KEYS):
        raise ValueError(f"{where}: the line is a number from 1, as the phone's lines are counted.")
    target, label = row.get("target", "").strip(), row.get("label", "").strip()
    if len(target) > LONGEST_TARGET or len(label) > LONGEST_LABEL:
        raise ValueError(f"{where}: {LONGEST_TARGET} characters of a target and {LONGEST_LABEL} of a label are taken.")
    if kind.needs in ("number", "url") and not target:
        raise ValueError(f"{where} needs {'a number' if kind.needs == 'number' else 'an address'}.")
    options = {}
    for option in kind.options:
        if given := row.get(f"option.{option.name}", "").strip():
            if not option.takes(given):
                raise ValueError(f"{where}: “{given[:40]}” is no {option.label.lower()}.")
            options[option.name] = given
    # What the kind has no use for is kept, so that choosing another kind by mistake loses nothing.
    return KeyOf(module, int(position), kind.name, int(line) if line else None, target, label, options)


def stored_key(key: KeyOf) -> KeyFields:
    return {name: dict(value) if name == "options" else value for name, value in vars(key).items()}


def _boxes(given: Mapping[str, str]) -> list[tuple[KeyOption, str]]:
    """Each option that some kind has, with what is said for it."""
    options = {option.name: option for kind in all_kinds() for option in kind.options}
    return [(option, given.get(name, option.default)) for name, option in options.items()]


class KeysField(RowsField):
    """The keys of a layout. What is cleaned is what the layout stores."""

    def __init__(self) -> None:
        super().__init__("profiles_app/phone/keys.html", label="Keys")
        self.widget.more = {"kinds": all_kinds(), "boxes": _boxes({}), "spares": range(SPARE_KEYS)}

    def prepare_value(self, value: list[KeyFields] | None) -> list[KeyFields]:
        """By the phone and its modules: the keys of the layout, or what was typed."""
        rows = [self._shown(number, key) for number, key in enumerate(value or ())]
        return [
            {"module": module, "title": title, "keys": [row for row in rows if row["module"] == module]}
            for module, title in enumerate(PLACES)
        ]

    def _shown(self, number: int, key: KeyFields) -> KeyFields:
        if "#" in key:
            options = {name.removeprefix("option."): text for name, text in key.items() if name.startswith("option.")}
            return key | {"module": int(key["#"].partition(".")[0] or 0), "number": key["#"], "boxes": _boxes(options)}
        return key | {"number": f"{key.get('module') or 0}.{number}", "boxes": _boxes(key.get("options") or {})}

    def clean(self, value: list[Row]) -> list[KeyFields]:
        found: dict[tuple[int, int], KeyOf] = {}
        errors = []
        for row in value:
            row["#"] = row["#"] if row["#"].partition(".")[0] in map(str, range(MODULES + 1)) else "0.0"
            if not row.get("kind") or row.get("remove"):
                continue
            try:
                key = key_of(row)
            except ValueError as refused:
                errors.append(str(refused))
                continue
            if (key.module, key.position) in found:
                errors.append(f"Key {key.position} of {PLACES[key.module]} is there twice.")
            found[key.module, key.position] = key
        if errors:
            raise forms.ValidationError(errors)
        return [stored_key(found[place]) for place in sorted(found)]


def _module_choices() -> list[tuple[str, str]]:
    modules = {module.name: module for model in sep.catalogue.all_models() for module in model.modules}
    return [("", "none"), *((name, f"{name} ({modules[name].keys} keys)") for name in sorted(modules))]


def _module_field(number: int) -> forms.ChoiceField:
    return forms.ChoiceField(
        label=f"Expansion module {number}", required=False, choices=_module_choices, widget=UnfoldAdminSelectWidget
    )


class KeyLayoutForm(forms.ModelForm):  # type: ignore[type-arg]
    key_rows = KeysField()
    module_1, module_2, module_3 = _module_field(1), _module_field(2), _module_field(3)

    class Meta:
        model = KeyLayout
        fields = ("account", "name", "description")

    class Media:
        js = ("patchbay/rows.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["key_rows"] = self.instance.keys
        for number, name in enumerate(self.instance.modules[:MODULES], 1):
            self.initial[f"module_{number}"] = name

    @property
    def modules(self) -> list[str]:
        """Without gaps, as modules are plugged in one beside the other."""
        given = [self.cleaned_data.get(f"module_{number}") for number in range(1, MODULES + 1)]
        return [name for name in given if name]

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        self.instance.modules = self.modules
        if "key_rows" in given:
            self.instance.keys = given["key_rows"]
        return given


class LookForm(forms.Form):
    """What the picture is drawn of: the layout as it is typed, and a model."""

    key_rows = KeysField()
    module_1, module_2, module_3 = _module_field(1), _module_field(2), _module_field(3)
    look_model = forms.CharField(required=False, max_length=64)


def models_with_keys() -> list[str]:
    return [model.model for model in sep.catalogue.all_models() if model.line_keys and "SIP" in model.protocols]


@admin.register(KeyLayout)
class KeyLayoutAdmin(PortalAdmin):
    """Tenants see those of the portal too, which its staff make."""

    form = KeyLayoutForm
    tenant_shares = True
    pages = {"look": "look/"}
    list_display = ("name", "owner", "number", "modules_here", "changed")
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("name", "description")
    search_help_text = "Name or description"
    ordering = ("name", "pk")
    autocomplete_fields = ("account",)
    fieldsets = (
        (None, {"fields": ("account", "name", "description")}),
        ("Expansion modules", {"fields": ("module_1", "module_2", "module_3")}),
        ("Keys", {"fields": ("key_rows",), "classes": ("pb-wide",)}),
    )
    change_form_outer_after_template = "profiles_app/phone/key_layout.html"
    owner = column("Account", lambda layout: layout.account or "all accounts")
    number = column("Keys", lambda layout: len(layout.keys))
    modules_here = column("Expansion modules", lambda layout: ", ".join(layout.modules) or "–")
    changed = ago_column("updated_at", "Updated")

    def look_page(self, request: HttpRequest) -> HttpResponse:
        """The picture of what is typed, which is not stored: in the page by script, else on a page of its own."""
        if not self.has_view_permission(request):
            self.require(request, "profiles_app.view_keylayout")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        context = _look(request.POST)
        if "HX-Request" in request.headers:
            return render(request, "profiles_app/phone/key_look.html", context)
        return self.page(request, "profiles_app/phone/key_look_page.html", "Keys of the phone", **context)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        context |= {"look_url": self.url_of("look"), "models": models_with_keys()}
        return super().render_change_form(request, context, *args, **kwargs)


def _look(posted: QueryDict) -> dict[str, object]:
    form = LookForm(posted)
    model = sep.catalogue.normalise_model(posted.get("look_model") or models_with_keys()[-1])
    if not form.is_valid():
        return {"errors": [text for texts in form.errors.values() for text in texts], "model": model}
    keys = [KeyOf(**key) for key in form.cleaned_data["key_rows"]]
    given = [form.cleaned_data[f"module_{number}"] for number in range(1, MODULES + 1)]
    modules = [name for name in given if name]
    columns, remarks, empty = picture_of(model, keys, modules)
    return {
        "model": model,
        "columns": columns,
        "remarks": remarks,
        "faults": [
            {"place": f"{module}.{position}", "text": f"{text[:1].upper()}{text[1:]}."}
            for (module, position), text in empty.items()
        ],
        "offered": [kind.name for kind in kinds_for(model)],
    }
