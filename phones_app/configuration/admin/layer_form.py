"""The form of a layer: what it is about, and its values, locks, lines, keys and fragments."""

from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts_app.core.admin.rows import Row, RowsField, filled
from phones_app.configuration.admin.fragments import FragmentsField
from phones_app.configuration.admin.values import (
    LayerValues,
    NamesField,
    ValuesField,
    locks_without_values,
    rows_of_layer,
)
from phones_app.configuration.models import Layer
from profiles_app.phone import sep
from profiles_app.phone.models import Line

Kind = Layer.Kind
# What a form has cleaned.
Given = dict[str, Any]
# Which field says what a layer is about; the account goes along with a group, a profile and a phone.
ABOUT: dict[str, tuple[str, ...]] = {
    Kind.PORTAL: (),
    Kind.ACCOUNT: ("account",),
    Kind.LOCATION: ("account", "name"),
    Kind.FAMILY: ("account", "name"),
    Kind.MODEL: ("account", "name"),
    Kind.GROUP: ("group",),
    Kind.PROFILE: ("profile",),
    Kind.PHONE: ("phone",),
}
# A line is on one phone or on few: no location has lines.
WITH_LINES = (Kind.GROUP, Kind.PROFILE, Kind.PHONE)
# Layers of all accounts.
EVERYBODYS = (Kind.PORTAL, Kind.FAMILY, Kind.MODEL)
SPARE_ROWS = 2


class LinesField(RowsField):
    """Extensions in the order of the phone's lines; the form finds the rows, as it knows the account."""

    def __init__(self) -> None:
        super().__init__("phones_app/configuration/lines.html", label="Lines")
        self.widget.more = {"spares": range(SPARE_ROWS)}

    def clean(self, value: list[Row]) -> list[str]:
        return [row["extension"].strip() for row in filled(value, "extension") if not row.get("remove")]


class LayerForm(forms.ModelForm):  # type: ignore[type-arg]
    value_rows = ValuesField()
    more_locks = NamesField(
        label="Locked without a value",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"list": "known-settings", "autocomplete": "off"}),
        help_text="Names, separated by commas: stronger layers cannot change what weaker ones say.",
    )
    line_rows = LinesField()
    fragment_rows = FragmentsField()

    class Meta:
        model = Layer
        fields = ("kind", "account", "name", "group", "profile", "phone", "key_layout")

    class Media:
        js = ("patchbay/rows.js",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Fields are missing where the person may only look.
        if "value_rows" in self.fields:
            # A form's fields are copied without what they hold.
            field: Any = self.fields["value_rows"]
            field.stored = self.instance.secrets
            self.initial["value_rows"] = rows_of_layer(self.instance)
            self.initial["more_locks"] = locks_without_values(self.instance)
            self.initial["fragment_rows"] = self.instance.fragments
            uses = self.instance.line_uses.select_related("line") if self.instance.pk else ()
            self.initial["line_rows"] = [{"extension": use.line.extension, "shown": use.line.shown} for use in uses]
        for name in ("account", "name", "group", "profile", "phone"):
            if name in self.fields:
                self.fields[name].required = False

    @property
    def kind(self) -> str:
        return str(self.cleaned_data.get("kind") or self.instance.kind)

    def clean(self) -> Given:
        given: Given = super().clean() or self.cleaned_data
        if not self.instance.pk:
            self._say_what_about(given)
        self.found_lines: list[Line] = []
        if "value_rows" in given:
            self._take(given)
        return given

    def _say_what_about(self, given: Given) -> None:
        """Exactly what the kind is about is kept; what other kinds would be about is forgotten."""
        about = ABOUT.get(self.kind, ())
        for name in ("account", "name", "group", "profile", "phone"):
            if name not in about:
                given[name] = "" if name == "name" else None
        if self.kind in (Kind.GROUP, Kind.PHONE) and (row := given.get(about[0])):
            given["account"] = row.account
        elif self.kind == Kind.PROFILE and (profile := given.get("profile")):
            given["account"] = profile.user.account
        needed = [name for name in about if name != "account" or self.kind not in EVERYBODYS]
        for name in needed:
            if not given.get(name) and name not in self.errors:
                self.add_error(name, "A layer of this kind needs one.")
        if self.kind == Kind.MODEL and given.get("name"):
            given["name"] = sep.catalogue.normalise_model(given["name"])
        families = {model.family for model in sep.catalogue.all_models()}
        if self.kind == Kind.FAMILY and given.get("name") and given["name"] not in families:
            self.add_error("name", f"There is no such family. Known: {', '.join(sorted(families))}.")

    def _take(self, given: Given) -> None:
        """What the tables say, as the row stores it."""
        values: LayerValues = given["value_rows"]
        self.instance.values = values.values
        self.instance.secrets = values.secrets
        named = {*values.values, *values.secrets}
        self.instance.locks = [*values.locks, *(name for name in given.get("more_locks") or () if name not in named)]
        self.instance.fragments = given.get("fragment_rows") or []
        account = given.get("account") or self.instance.account
        layout = given.get("key_layout")
        if layout is not None and layout.account_id not in (None, account and account.pk):
            self.add_error("key_layout", "The key layout is of another account.")
        wanted = given.get("line_rows") or []
        if wanted and self.kind not in WITH_LINES:
            self.add_error("line_rows", "Lines are given to a phone, a phone group or a phone profile.")
            return
        if len(set(wanted)) < len(wanted):
            self.add_error("line_rows", "A line is there twice.")
        rows = {line.extension: line for line in Line.objects.filter(account=account, extension__in=wanted)}
        if unknown := [extension for extension in dict.fromkeys(wanted) if extension not in rows]:
            self.add_error("line_rows", f"The account has no line {', '.join(unknown[:5])}.")
        else:
            self.found_lines = [rows[extension] for extension in dict.fromkeys(wanted)]
