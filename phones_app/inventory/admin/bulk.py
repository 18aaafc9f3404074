"""Changing many phones: choose what, look at which phones it changes and which refuse it, then say yes."""

from collections.abc import Sequence
from typing import cast

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelChoiceField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url
from contacts_app.core.counted import counted
from contacts_app.core.lists.among import among
from phones_app.inventory.admin.selection import PhonesForm
from phones_app.inventory.bulk import BulkPart, BulkReport, Columns, Grouped, change_phones
from phones_app.inventory.models import Phone, PhoneGroup
from profiles_app.phone.models import SoftwareType

NAMED = 5
# More are not what somebody meant to change, and their keys have to fit into a form.
MOST = 100_000
# So many changes are told; the others are counted.
MOST_KINDS = 40
# What there may be none of; the field with `no_` in front says so.
COLUMNS = ("location", "current_profile", "file_server", "call_manager")
KEPT = ("", "as it is")
UNKNOWN = "unknown"
SOFTWARE = (KEPT, *SoftwareType.choices, (UNKNOWN, "not known"))
ACTIVITY = (KEPT, ("yes", "active"), ("no", "inactive: nothing is deployed"))


def _none(words: str) -> forms.BooleanField:
    return forms.BooleanField(required=False, label=words, widget=UnfoldBooleanSwitchWidget)


def _group(words: str) -> "ModelChoiceField[PhoneGroup]":
    rows = PhoneGroup.objects.none()
    return ModelChoiceField(rows, required=False, label=words, empty_label="none", widget=UnfoldAdminSelectWidget)


class BulkForm(forms.ModelForm):  # type: ignore[type-arg]
    """What changes. Whatever is left empty stays as it is at each phone."""

    software = forms.ChoiceField(choices=SOFTWARE, required=False, widget=UnfoldAdminSelectWidget)
    activity = forms.ChoiceField(choices=ACTIVITY, required=False, widget=UnfoldAdminSelectWidget)
    joined = _group("Add to group")
    left = _group("Remove from group")
    no_location = _none("No location")
    no_current_profile = _none("No profile")
    no_file_server = _none("The default file server")
    no_call_manager = _none("No call manager: ask the phones directly")

    def pairs(self) -> list[tuple[forms.BoundField, forms.BoundField | None]]:
        """The fields as they are shown: each with the one that empties it, where there is one."""
        shown = [name for name in self.fields if not name.startswith("no_")]
        return [(self[name], self[f"no_{name}"] if f"no_{name}" in self.fields else None) for name in shown]

    def clean(self) -> dict[str, object]:
        given: dict[str, object] = super().clean() or {}
        for name in COLUMNS:
            if given.get(name) and given.get(f"no_{name}"):
                self.add_error(name, f"Choose one, or “{self.fields[f'no_{name}'].label}”.")
        if given.get("joined") and given.get("joined") == given.get("left"):
            self.add_error("left", "This is the group that the phones are added to.")
        if not self.errors and not self.parts():
            raise forms.ValidationError("Choose what is to change.")
        return given

    def parts(self) -> Sequence[BulkPart]:
        given = self.cleaned_data
        values: dict[str, object] = {name: given[name] for name in COLUMNS if given.get(name)}
        values |= {name: "" if name == "location" else None for name in COLUMNS if given.get(f"no_{name}")}
        if software := given.get("software"):
            values["software_type"] = None if software == UNKNOWN else software
        if activity := given.get("activity"):
            values["is_active"] = activity == "yes"
        groups = [Grouped(given[name], joins=name == "joined") for name in ("joined", "left") if given.get(name)]
        return [*([Columns(values)] if values else []), *groups]


class ChangeSelected(PortalAdmin):
    """The action of the phone admin that changes what was selected, and its pages."""

    pages = {"bulk": "change/"}
    bulk_form: type[BulkForm] = BulkForm

    @admin.action(description="Change…", permissions=["change"])
    def change_selected(self, request: HttpRequest, queryset: QuerySet[Phone]) -> HttpResponse | None:
        keys = list(queryset.order_by("mac").values_list("pk", flat=True)[: MOST + 1])
        if len(keys) > MOST:
            messages.error(request, f"At most {MOST:,} phones are changed at once. Narrow the list down.")
            return None
        return self._choose_change(request, self.make_bulk_form(request), keys)

    def bulk_page(self, request: HttpRequest) -> HttpResponse:
        """Choose what changes, be shown what that means, and with `confirm` let it happen."""
        self.require(request, "phones_app.change_phone")
        chosen = PhonesForm(request.POST if request.method == "POST" else request.GET)
        if not chosen.is_valid():
            raise Http404("None of these phones is there.")
        keys: list[int] = chosen.cleaned_data["phones"][:MOST]
        if request.method != "POST":
            return self._choose_change(request, self.make_bulk_form(request), keys)
        form = self.make_bulk_form(request, request.POST)
        if not form.is_valid() or "edit" in request.POST:
            return self._choose_change(request, form, keys)
        way = request.POST.get("confirm")
        parts = form.parts()
        report = change_phones(self.tenant_rows(request), keys, parts, dry_run=way is None)
        if way is not None:
            _tell(request, report)
            return self.after_change(request, self.tenant_rows(request).filter(pk__in=among(keys)), way)
        notes = [note for part in parts for note in part.notes]
        return self._change_preview(request, form, keys, report, notes)

    def make_bulk_form(self, request: HttpRequest, data: QueryDict | None = None) -> BulkForm:
        sees_profiles = request.user.has_perm("profiles_app.view_phoneprofile")
        fields = [name for name in COLUMNS if name != "current_profile" or sees_profiles]
        form = cast("type[BulkForm]", self.get_form(request, form=self.bulk_form, fields=fields))(data)
        for name in fields:
            # What is said of them, and the links to other pages, are for the page of one phone.
            field = form.fields[name]
            field.help_text, field.widget = "", getattr(field.widget, "widget", field.widget)
        if not sees_profiles:
            del form.fields["no_current_profile"]
        for name in ("joined", "left"):
            if request.user.has_perm("phones_app.change_phonegroup"):
                groups = cast("ModelChoiceField[PhoneGroup]", form.fields[name])
                groups.queryset = actor_of(request).sees(PhoneGroup.objects.all())
            else:
                del form.fields[name]
        return form

    def _choose_change(self, request: HttpRequest, form: BulkForm, keys: Sequence[int]) -> HttpResponse:
        return self.page(
            request,
            "phones_app/inventory/bulk.html",
            f"Change {counted(len(keys), 'phone')}",
            form=form,
            pairs=form.pairs(),
            keys=",".join(map(str, keys)),
            first=self.tenant_rows(request).filter(pk__in=keys[:NAMED]),
            untold=max(0, len(keys) - NAMED),
            media=self.media + form.media,
        )

    def _change_preview(
        self, request: HttpRequest, form: BulkForm, keys: Sequence[int], report: BulkReport, notes: Sequence[str]
    ) -> HttpResponse:
        kinds = report.kinds
        return self.page(
            request,
            "phones_app/inventory/bulk_preview.html",
            "What would change",
            report=report,
            kinds=kinds[:MOST_KINDS],
            untold=max(0, len(kinds) - MOST_KINDS),
            notes=notes,
            ways=self.ways_to_change(request),
            kept=[(one.html_name, one.value()) for one in form if one.value() not in (None, "", False)],
            keys=",".join(map(str, keys)),
        )

    def ways_to_change(self, request: HttpRequest) -> dict[str, str]:
        """The buttons beside the one that only changes phones: by the value of `confirm`, with their words."""
        return {}

    def after_change(self, request: HttpRequest, rows: "QuerySet[Phone]", way: str) -> HttpResponse:
        """Where it goes on when these phones were changed, by the value of `confirm`."""
        return HttpResponseRedirect(list_url(Phone))


def _tell(request: HttpRequest, report: BulkReport) -> None:
    already = (
        f", {report.unchanged:,} {'was' if report.unchanged == 1 else 'were'} so already" if report.unchanged else ""
    )
    messages.success(request, f"{counted(report.changed, 'phone')} changed{already}.")
    for group in report.refused[:NAMED]:
        messages.error(request, f"{counted(group.phones, 'phone')} not changed: {group.message}")
