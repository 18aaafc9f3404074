"""Phone profiles: whose they are, what they fit, and the file in an editor, checked before it is stored."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import ReadOnlyAdmin, allowed
from contacts_app.core.admin.columns import ago_column, column, count_column, through_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.csv.admin import CsvPages
from contacts_app.core.history.authorship import because
from contacts_app.people.models import REVEAL
from profiles_app.phone import sep
from profiles_app.phone.admin.live_check import LiveCheckPages
from profiles_app.phone.admin.revision import (
    RevisionPages,
    XmlField,
    file_lines,
    may_reveal,
    record_look,
    record_reveal,
    with_line_ends_of,
)
from profiles_app.phone.csv import ProfileCsv
from profiles_app.phone.models import PhoneProfile, PhoneTemplate, ProfileRevision, Source
from profiles_app.phone.services import (
    ProfileRefused,
    check_content,
    create_profile,
    describe,
    encode,
    findings_for,
    phones_running,
    update_profile,
)

ABOUT = ("user", "name", "description", "compatible_models", "software_type")
META = (*ABOUT, "source", "template")
# Which source has which fields; those of the others stay as they were typed, out of sight.
FIELDS_OF = {"template": Source.TEMPLATE, "cnf_xml": Source.FILE, "reason": Source.FILE}


class ModelNumbersField(forms.CharField):
    """Model numbers, comma-separated, as the list that is stored."""

    def prepare_value(self, value: object) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        parts = value if isinstance(value, list) else str(value or "").split(",")
        models = [sep.catalogue.normalise_model(part) for part in parts]
        return list(dict.fromkeys(model for model in models if model))

    def has_changed(self, initial: object, data: object) -> bool:
        return bool(self.to_python(initial) != self.to_python(data))


class PhoneProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    compatible_models = ModelNumbersField(
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "8841, 8845"}),
        help_text="Phone models this profile works with, comma-separated; empty: all.",
    )
    cnf_xml = XmlField(label="File", help_text="In the editor Tab indents; Esc leaves it.")
    reason = forms.CharField(
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget,
        help_text="Why the file changes, for its history.",
    )

    class Meta:
        model = PhoneProfile
        fields = META
        help_texts = {"template": "Its text is filled in for each phone."}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = self.instance.content if self.instance.pk else b""
        if source := self.fields.get("source"):
            source.required = False
        if field := self.fields.get("cnf_xml"):
            # Only of one source, which `clean` sees to.
            field.required = False
            self.initial["cnf_xml"] = sep.decode(self.stored)
            field.widget.annotate(findings_for(self.instance) if self.stored else ())

    def clean_source(self) -> str:
        return str(self.cleaned_data["source"] or self.instance.source)

    def clean_template(self) -> PhoneTemplate | None:
        """That of another source is not stored: the field is out of sight."""
        if self.cleaned_data.get("source", self.instance.source) != Source.TEMPLATE:
            return None
        template: PhoneTemplate | None = self.cleaned_data["template"]
        if template is None:
            raise forms.ValidationError("A template has to be chosen.")
        return template

    def clean_software_type(self) -> str | None:
        return self.cleaned_data["software_type"] or None

    def clean(self) -> dict[str, object]:
        """The same judgement that the service will give, as errors at the field, each with its line."""
        given = super().clean() or {}
        self.content = self.stored
        if given.get("source", self.instance.source) != Source.FILE:
            # Its file is made from data, whatever the editor has.
            return given
        field = self.fields.get("cnf_xml")
        if field and not given.get("cnf_xml") and "cnf_xml" not in self.errors:
            self.add_error("cnf_xml", "This field is required.")
            return given
        try:
            if "cnf_xml" in given:
                self.content = encode(with_line_ends_of(sep.decode(self.stored), given["cnf_xml"]))
            if self.content:
                check_content(self.content, software_type=given.get("software_type"))
        except ProfileRefused as refused:
            place = "cnf_xml" if field else "software_type"
            self.add_error(place, [describe(finding) for finding in refused.findings])
            if field:
                field.widget.annotate(refused.findings)
        return given

    def has_changed(self) -> bool:
        return bool(self.changed_data)

    @property
    def changed_data(self) -> list[str]:
        """The file has changed when its bytes have, not when the browser wrote its line ends anew."""
        changed: list[str] = list(super().changed_data)
        if "cnf_xml" in changed and getattr(self, "content", None) == self.stored:
            changed.remove("cnf_xml")
        return changed


@admin.register(PhoneProfile)
class PhoneProfileAdmin(CsvPages, LiveCheckPages, RevisionPages):
    csv_format = ProfileCsv
    actions = ["export_selected"]
    form = PhoneProfileForm
    tenant_path = "user__account"
    list_display = (*("name", "user", "models_here", "software_type"), *("revision_number", "phone_count", "changed"))
    list_select_related = ("user", "revision")
    list_filter = ("software_type", "user")
    search_fields = ("name", "description", "user__email", "user__account__name")
    search_help_text = "Name, description, owner or account"
    ordering = ("name", "pk")
    autocomplete_fields = ("user", "template")
    conditional_fields = {
        # Who may only look has no such field in the form.
        name: f"typeof source === 'undefined' || source == '{source.value}'"
        for name, source in FIELDS_OF.items()
    }
    actions_detail = ["download"]
    has_reveal_permission = allowed(REVEAL)
    models_here = column("Models", lambda profile: ", ".join(profile.compatible_models) or "all")
    revision_number = column("Revision", lambda profile: profile.revision and profile.revision.number)
    phone_count = count_column("phones", "Phones")
    changed = ago_column("updated_at", "Updated")
    change_form_outer_after_template = "profiles_app/phone/panels.html"
    about = (None, {"fields": ABOUT})
    # The form's own field says why the file changes, which is kept with the revision too.
    asks_reason = False

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Which phones have the file and keep running it: deleting its profile takes nothing from them."""
        deleted, count, missing, protected = super().get_deleted_objects(objs, request)
        running = [text for profile in objs if (text := phones_running(profile))]
        return [*running, *deleted], count, missing, protected

    def tenant_rows(self, request: HttpRequest) -> QuerySet[PhoneProfile]:
        return super().tenant_rows(request).defer("revision__content")

    def get_fieldsets(self, request: HttpRequest, obj: PhoneProfile | None = None) -> Any:
        """A person who may not see passwords can write a new file, but not edit one that has some."""
        if obj is not None and not self._may_edit_file(request, obj):
            return (self.about, ("File", {"fields": ("source", "template")}))
        return (self.about, ("File", {"fields": ("source", "template", "cnf_xml", *(("reason",) if obj else ()))}))

    def get_form(
        self, request: HttpRequest, obj: PhoneProfile | None = None, change: bool = False, **kwargs: object
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if obj is not None and not self._may_edit_file(request, obj):
            # Declared fields stay in a form whatever its fieldsets say, so that they could still be posted.
            for name in ("cnf_xml", "reason"):
                form.base_fields.pop(name)
        return form

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"user": request.user.pk} | super().get_changeform_initial_data(request)

    def _may_edit_file(self, request: HttpRequest, obj: PhoneProfile) -> bool:
        return may_reveal(request) and self.has_change_permission(request, obj)

    def shown(self, request: HttpRequest, row: PhoneProfile) -> dict[str, Any]:
        if request.method == "GET":
            record_reveal(request, row)
        if row.revision is None:
            return {}
        findings = findings_for(row)
        lines = None if self._may_edit_file(request, row) else file_lines(request, row.content, findings)
        return {
            "profile": row,
            "facts": row.revision.facts,
            "findings": findings,
            "lines": lines,
            "revisions": row.revisions.own().defer("content")[:20],
            "may_restore": self.has_change_permission(request, row),
        }

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        given = {name: form.cleaned_data[name] for name in META}
        actor = actor_of(request)
        if change:
            written = "cnf_xml" in form.cleaned_data and given["source"] == Source.FILE
            content = form.content if written else None
            reason = form.cleaned_data.get("reason", "")
            with because(reason):
                saved = update_profile(obj, actor=actor, content=content, reason=reason, **given)
        else:
            saved = create_profile(actor=actor, content=form.content, **given)
        vars(obj).update(vars(saved))
        for finding in findings_for(saved) if saved.content else ():
            messages.warning(request, describe(finding))

    @action(description="Download", icon="download", permissions=["reveal"])
    def download(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The file byte for byte."""
        profile = self.row_or_404(request, object_id)
        record_reveal(request, profile)
        answer = HttpResponse(profile.content, content_type="application/octet-stream")
        answer["Content-Disposition"] = f'attachment; filename="profile-{profile.uuid}.cnf.xml"'
        return answer


@admin.register(ProfileRevision)
class ProfileRevisionAdmin(ReadOnlyAdmin):
    """What a profile said at one time. Revisions are only ever added."""

    tenant_path = "profile__user__account"
    list_display = ("number", "profile", "author", "through", "created_at", "digest")
    list_select_related = ("profile",)
    search_fields = ("profile__name", "author", "sha256")
    fields = ("profile", "number", "author", "through", "reason", "created_at", "size", "sha256")
    change_form_outer_after_template = "profiles_app/phone/revision.html"
    readonly_fields = ("through",)
    deletable = False
    through = through_column
    digest = column("Digest", lambda revision: revision.sha256[:12])

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProfileRevision]:
        return super().get_queryset(request).defer("content")

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """Lists and searches show what profiles said; what was made of them for phones has its page alone."""
        return super().get_search_results(request, queryset.own(), search_term)

    def shown(self, request: HttpRequest, row: ProfileRevision) -> dict[str, Any]:
        record_look(request, row.profile, f"the file {row}" if row.rendered_for else str(row))
        findings = sep.check(row.content, software_type=row.profile.software_type)
        return {"findings": findings, "lines": file_lines(request, row.content, findings)}
