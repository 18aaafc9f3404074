"""The button above the list of phones that adopts an archive of files: upload, look at the report, say yes."""

from collections import Counter
from typing import cast
from uuid import UUID

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.utils.http import urlencode
from unfold.decorators import action
from unfold.widgets import UnfoldAdminFileFieldWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.csv.admin import CsvPages
from contacts_app.core.csv.models import UploadedCsv
from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import because
from contacts_app.people.models import User
from phones_app.configuration.adopting.adopt import AdoptTarget, adopt
from phones_app.configuration.adopting.report import Adoption, AdoptResult
from phones_app.configuration.adopting.uploads import KIND, LIMITS, PLACES, keep_files, read_kept
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile

# Rows of all of these are made, and phones and layers that are there are changed.
NEEDED = (
    *("phones_app.add_phone", "phones_app.change_phone", "phones_app.add_layer", "phones_app.change_layer"),
    *("profiles_app.add_phoneprofile", "profiles_app.add_phonetemplate", "profiles_app.add_line"),
)
SHOWN = 200
WHOSE = ("account", "owner")


class WhoseForm(forms.Form):
    """Whose the phones and profiles are; `AdoptingPages` adds the fields."""


class ArchiveForm(WhoseForm):
    archive = forms.FileField(
        label="ZIP archive",
        widget=UnfoldAdminFileFieldWidget,
        max_length=255,
        help_text=f"Of up to {LIMITS.files:,} files SEP&lt;MAC&gt;.cnf.xml; other files in it are ignored.",
    )
    places = forms.FileField(
        label="Places",
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        max_length=255,
        help_text=f"A CSV file mac,location,model. A {PLACES} in the archive is read as well.",
    )


class AdoptingPages(CsvPages):
    """Mixed into the admin of phones."""

    actions_list = ("adopt_files", *CsvPages.actions_list)
    pages = {"adopting": "adopting/", "adopting_check": "adopting/<uuid:uuid>/"}

    def has_adopt_files_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perms(NEEDED)

    @action(description="Adopt files…", icon="drive_folder_upload", permissions=["adopt_files"])
    def adopt_files(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("adopting"))

    def adopting_page(self, request: HttpRequest) -> HttpResponse:
        """Choose an archive, and whose its phones are. Nothing is stored of it yet."""
        self._require_all(request)
        sent = request.method == "POST"
        form = ArchiveForm(request.POST, request.FILES) if sent else ArchiveForm()
        self._add_whose(request, form)
        if sent and form.is_valid():
            try:
                given = form.cleaned_data
                kept = keep_files(cast(User, request.user), [given["archive"]], given["places"])
            except Refusal as refusal:
                form.add_error("places" if refusal.code == "bad-places" else "archive", refusal.message)
            else:
                whose = urlencode({name: request.POST[name] for name in WHOSE if request.POST.get(name)})
                return HttpResponseRedirect(f"{self.url_of('adopting_check', kept.uuid)}?{whose}")
        return self.page(
            request,
            "phones_app/configuration/adopt.html",
            "Adopt the files of phones",
            form=form,
            back=self.url_of("changelist"),
            media=self.media + form.media,
        )

    def adopting_check_page(self, request: HttpRequest, uuid: UUID) -> HttpResponse:
        """What the files would become, with every one that is not adopted; on POST they become it."""
        self._require_all(request)
        kept = get_object_or_404(UploadedCsv, user=request.user.pk, kind=KIND, uuid=uuid)
        stores = request.method == "POST"
        try:
            adoption = self._adopted(request, kept, dry_run=not stores)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self.url_of("adopting"))
        if stores:
            kept.delete()
            messages.success(request, f"{kept.name} is adopted: {adoption.sentence}. Nothing was uploaded to phones.")
            return HttpResponseRedirect(self.url_of("changelist"))
        left = [
            file
            for file in adoption.files
            if file.outcome in (AdoptResult.KEPT, AdoptResult.REFUSED, AdoptResult.IGNORED)
        ]
        return self.page(
            request,
            "phones_app/configuration/adopt_check.html",
            f"Adopt {kept.name}?",
            model_admin=self,
            adoption=adoption,
            stores=adoption.outcomes[AdoptResult.ADOPTED] + adoption.outcomes[AdoptResult.KEPT],
            templates=sorted(Counter(file.template for file in adoption.files if file.template).items()),
            left=left[:SHOWN],
            untold=len(left) - SHOWN,
            back=self.url_of("adopting"),
        )

    def _adopted(self, request: HttpRequest, kept: UploadedCsv, *, dry_run: bool) -> Adoption:
        form = WhoseForm(request.GET)
        self._add_whose(request, form)
        actor = actor_of(request)
        account = actor.account or (form.cleaned_data["account"] if form.is_valid() else None)
        if account is None or not form.is_valid():
            raise Refusal("no-account", "Say whose phones these are.")
        read = read_kept(kept)
        target = AdoptTarget(account, form.cleaned_data["owner"], read.places)
        with because(f"Adopted from {kept.name}"):
            return adopt(read.files, target, actor=actor, dry_run=dry_run)

    def _require_all(self, request: HttpRequest) -> None:
        for permission in NEEDED:
            self.require(request, permission)

    def _add_whose(self, request: HttpRequest, form: forms.Form) -> None:
        """The account, where the person is of none, and the owner: of those that the person sees."""
        if actor_of(request).account is None:
            account = self.formfield_for_foreignkey(Phone._meta.get_field("account"), request)
            form.fields["account"] = _with_help(account, "Whose phones these are.")
        profiles = cast(PortalAdmin, self.admin_site.get_model_admin(PhoneProfile))
        owner = profiles.formfield_for_foreignkey(PhoneProfile._meta.get_field("user"), request, required=False)
        form.fields["owner"] = _with_help(owner, "Of the profiles; empty: the user of level 0 of the account.")


def _with_help(field: forms.Field, text: str) -> forms.Field:
    field.help_text = text
    return field
