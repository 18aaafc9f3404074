"""Upload of many phones' files: look at what each would become, with what the checker says, then import them."""

from collections import Counter
from typing import Any, TypeVar, cast
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404, render
from django.utils.datastructures import MultiValueDict
from django.utils.http import urlencode
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanSwitchWidget

from contacts_app.accounts.models import Account
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url
from contacts_app.core.csv.admin import CsvPages
from contacts_app.core.csv.models import UploadedCsv
from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import because
from contacts_app.people.models import User
from phones_app.inventory.import_folder import ImportResult, ImportTarget
from phones_app.inventory.models import Phone
from phones_app.inventory.uploaded_files import KIND, LIMITS, import_step, keep_files
from profiles_app.phone.models import PhoneProfile

# Whoever imports makes and changes profiles, and says of phones which profile is theirs.
NEEDED = ("profiles_app.add_phoneprofile", "profiles_app.change_phoneprofile", "phones_app.change_phone")
# Of the fields, and all that goes along from page to page.
ORDER = ("chosen", "owner", "account", "create_phones")
# What one file becomes.
BECOMES = {
    ImportResult.CREATED: "new profile",
    ImportResult.REVISED: "new revision",
    ImportResult.UNCHANGED: "as it is",
}
# What a web server of Django takes at once; more come in an archive.
MOST_AT_ONCE = 100
# The results as people read them, and in which of the lists of the page they stand.
RESULTS = {
    ImportResult.CREATED: ("new profiles", "good"),
    ImportResult.REVISED: ("new revisions", "good"),
    ImportResult.UNCHANGED: ("unchanged", ""),
    ImportResult.REFUSED: ("refused", "bad"),
    ImportResult.IGNORED: ("ignored", ""),
}


class ManyFiles(UnfoldAdminFileFieldWidget):  # type: ignore[misc]
    allow_multiple_selected = True


class ManyFilesField(forms.FileField):
    """All files that were chosen, each checked as one."""

    def clean(self, data: object, initial: object = None) -> list[object]:
        files = data if isinstance(data, list) and data else [None]
        return [super(ManyFilesField, self).clean(file, initial) for file in files]


class DestinationForm(forms.Form):
    """Whose the profiles become; `UploadFiles` adds whom the person may choose."""

    create_phones = forms.BooleanField(
        required=False, label="Add phones that are not in the inventory", widget=UnfoldBooleanSwitchWidget
    )

    def target(self, account: Account | None) -> ImportTarget:
        given = self.cleaned_data
        return ImportTarget(given["owner"], account or given.get("account"), bool(given.get("create_phones")))


class FilesForm(DestinationForm):
    chosen = ManyFilesField(
        label="Files",
        allow_empty_file=True,  # said of the one file, beside the others
        widget=ManyFiles(attrs={"multiple": True, "data-most-files": MOST_AT_ONCE}),
        help_text=f"Named SEP&lt;MAC&gt;.cnf.xml, up to {MOST_AT_ONCE} at once; or a ZIP archive with up to "
        f"{LIMITS.files:,} of them.",
    )


D = TypeVar("D", bound=DestinationForm)


class StepForm(forms.Form):
    """Where the next step begins, and how many files there were of each result up to there."""

    start = forms.IntegerField(min_value=0, max_value=LIMITS.files)
    counts = forms.RegexField(r"^\d{1,5}(,\d{1,5}){4}$")


class UploadFiles(CsvPages):
    """The button above the list of phone profiles, and its pages."""

    actions_list = ("upload_files", *CsvPages.actions_list)
    pages = {"files": "files/", "files_check": "files/<uuid:uuid>/", "files_step": "files/<uuid:uuid>/step/"}

    def has_files_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perms(NEEDED)

    @action(description="Upload files…", icon="upload_file", permissions=["files"])
    def upload_files(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("files"))

    def files_page(self, request: HttpRequest) -> HttpResponse:
        """Choose files and whose they become. Nothing is stored of them yet."""
        self._require_files(request)
        sent = request.method == "POST"
        form = self._destination(request, FilesForm, request.POST if sent else None, request.FILES if sent else None)
        if sent and form.is_valid():
            try:
                kept = keep_files(cast(User, request.user), form.cleaned_data["chosen"])
            except Refusal as refusal:
                form.add_error("chosen", refusal.message)
            else:
                given = urlencode({name: request.POST[name] for name in ORDER if request.POST.get(name)})
                return HttpResponseRedirect(f"{self.url_of('files_check', kept.uuid)}{given and f'?{given}'}")
        return self.page(
            request,
            "phones_app/inventory/upload.html",
            "Upload files of phones",
            form=form,
            back=self.url_of("changelist"),
            media=self.media + form.media,
        )

    def files_check_page(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        """What each file would become; on POST, what each becomes. The page asks for both step by step."""
        kept = self._kept(request, uuid)
        return self.page(
            request,
            "phones_app/inventory/upload_check.html",
            f"Import {kept.name}?" if request.method != "POST" else f"Importing {kept.name}",
            kept=kept,
            imports=request.method == "POST",
            step_url=f"{self.url_of('files_step', kept.uuid)}?{request.GET.urlencode()}",
            back=self.url_of("files"),
            reason=request.POST.get("_reason", ""),
            counts=_counts(Counter()),
            counted="0,0,0,0,0",
        )

    def files_step_page(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        """A fragment: what becomes of the next files, for the lists of the page, and the step after that."""
        kept = self._kept(request, uuid)
        asked, form = StepForm(request.POST), self._destination(request, DestinationForm, request.GET, None)
        if not asked.is_valid() or not form.is_valid():
            raise Http404("There is no such step.")
        actor, imports = actor_of(request), "import" in request.POST
        with because(request.POST.get("_reason", "") or f"Imported from {kept.name}"):
            step = import_step(
                kept,
                asked.cleaned_data["start"],
                destination=form.target(actor.account),
                actor=actor,
                dry_run=not imports,
            )
        before = map(int, asked.cleaned_data["counts"].split(","))
        counted = Counter(dict(zip(RESULTS, before, strict=True))) + Counter(one.result for one in step.done)
        if imports and step.next is None:
            kept.delete()
        return render(
            request,
            "phones_app/inventory/upload_step.html",
            {
                "step": step,
                "imports": imports,
                "looked_at": step.total if step.next is None else step.next,
                "counts": _counts(counted),
                "counted": ",".join(str(counted[result]) for result in RESULTS),
                "refused": [one for one in step.done if one.result not in BECOMES],
                "taken": [(one, BECOMES[one.result]) for one in step.done if one.result in BECOMES],
                "changes": counted[ImportResult.CREATED] + counted[ImportResult.REVISED],
                "step_url": request.get_full_path(),
                "reason": request.POST.get("_reason", ""),
                "profiles": list_url(PhoneProfile),
                "phones": list_url(Phone),
            },
        )

    def _require_files(self, request: HttpRequest) -> None:
        for permission in NEEDED:
            self.require(request, permission)

    def _kept(self, request: HttpRequest, uuid: UUID) -> UploadedCsv:
        self._require_files(request)
        return get_object_or_404(UploadedCsv, user=request.user.pk, kind=KIND, uuid=uuid)

    def _destination(
        self, request: HttpRequest, form_class: type[D], data: QueryDict | None, files: MultiValueDict[str, Any] | None
    ) -> D:
        form = form_class(data, files)
        form.fields["owner"] = self.formfield_for_foreignkey(
            *(PhoneProfile._meta.get_field("user"), request),
            required=False,
            help_text="Of the profiles; empty: the user of level 0 of each phone’s account.",
        )
        if actor_of(request).account is None:
            of_phones: Any = self.admin_site.get_model_admin(Phone)
            form.fields["account"] = of_phones.formfield_for_foreignkey(
                *(Phone._meta.get_field("account"), request),
                required=False,
                help_text="Of files whose phone is not in the inventory.",
            )
        if not request.user.has_perm("phones_app.add_phone"):
            del form.fields["create_phones"]
        form.order_fields(ORDER)
        return form


def _counts(counted: Counter[ImportResult]) -> list[tuple[str, int, str]]:
    return [(words, counted[result], colour) for result, (words, colour) in RESULTS.items()]
