"""Pages *Ring tones* and *Backgrounds*: upload, listen and look, put into order, delete."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.rows import posted_rows
from contacts_app.core.errors import Refusal
from phones_app.shared_files import media, store
from phones_app.shared_files.admin.owner import ADDS, CHANGES, DELETES, SEES, OwnerPages
from phones_app.shared_files.media import RING_LISTS, FilesOwner
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.companions import background, ring_tone
from profiles_app.phone.companions.lists import LONGEST_NAME, RINGS

Kind = SharedFile.Kind
# The content at an address is one account's and may change at any time; a browser runs nothing that is in it.
HEADERS = {
    "Cache-Control": "private, no-cache",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox",
}


class RingToneForm(forms.Form):
    sound = forms.FileField(
        label="Sound file",
        widget=UnfoldAdminFileFieldWidget,
        max_length=255,
        help_text="WAV, MP3, FLAC, Ogg Vorbis or AIFF.",
    )
    name = forms.CharField(
        max_length=LONGEST_NAME, widget=UnfoldAdminTextInputWidget, help_text="As phones list it, up to 25 characters."
    )
    file_name = forms.CharField(
        required=False,
        max_length=LONGEST_NAME,
        widget=UnfoldAdminTextInputWidget,
        help_text="Of its files, without .raw and .rwb; empty: after the name.",
    )
    cut = forms.BooleanField(
        label="Cut what is too long",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="79xx, 69xx and 89xx phones then play the first 2 seconds, 78xx and 88xx the first 10.",
    )


# What a refusal is about, where it is not the uploaded file.
FIELD_OF = {"bad-name": "name", "bad-file-name": "file_name", "bad-length": "cut"}


class BackgroundForm(forms.Form):
    picture = forms.FileField(
        label="Picture",
        widget=UnfoldAdminFileFieldWidget,
        max_length=255,
        help_text="PNG, JPEG, GIF, BMP or WebP, best 800 pixels wide or more.",
    )
    name = forms.CharField(
        max_length=LONGEST_NAME,
        widget=UnfoldAdminTextInputWidget,
        help_text="Up to 21 letters, digits, - and _; one that is there is replaced.",
    )
    whole = forms.BooleanField(
        label="Show all of it",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="With black beside it, where a screen has another shape. Otherwise the middle fills the screen.",
    )


class MediaPages(OwnerPages):
    pages = {
        "ring_tones": "ring-tones/",
        "ring_tone": "ring-tones/<int:pk>/",
        "backgrounds": "backgrounds/",
        "background": "backgrounds/<int:pk>/",
    }

    def ring_tones_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, SEES)
        owner = self.owner_of(request)
        form = RingToneForm()
        if request.method == "POST":
            form = RingToneForm(request.POST, request.FILES) if "add" in request.POST else form
            if answer := self._done(request, owner, form, self._add_ring_tone, self._change_rings, "ring_tones"):
                return answer
        lists: list[dict[str, object]] = []
        for path, tone in RING_LISTS.items():
            try:
                entries = media.entries_of(owner, RINGS, path)
            except Refusal as refusal:
                lists.append({"path": path, "phones": tone.phones, "problem": refusal.message})
                continue
            rows = owner.given(entry.file for entry in entries)
            shown = [(entry, rows.get(entry.file.lower())) for entry in entries]
            lists.append(
                {"path": path, "phones": tone.phones, "entries": shown, "row": owner.own([path]).get(path.lower())}
            )
        return self._page(request, owner, form, "ring_tones.html", "Ring tones", lists=lists)

    def ring_tone_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The sound as browsers play it."""
        row = self._row(request, pk, Kind.RING_TONE)
        try:
            with store.read(row.sha256) as file:
                content = ring_tone.to_wav(row.path, file.read(4 * ring_tone.WIDE.most))
        except (ring_tone.Unplayable, FileNotFoundError) as refused:
            return HttpResponse(str(refused), status=404, content_type="text/plain")
        return HttpResponse(content, content_type="audio/wav", headers=HEADERS)

    def backgrounds_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, SEES)
        owner = self.owner_of(request)
        form = BackgroundForm()
        if request.method == "POST":
            form = BackgroundForm(request.POST, request.FILES) if "add" in request.POST else form
            if answer := self._done(
                request, owner, form, self._add_background, self._change_backgrounds, "backgrounds"
            ):
                return answer
        try:
            backgrounds, problem = list(media.backgrounds_of(owner).items()), ""
        except Refusal as refusal:
            backgrounds, problem = [], refusal.message
        return self._page(
            request, owner, form, "backgrounds.html", "Backgrounds", backgrounds=backgrounds, problem=problem
        )

    def background_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        row = self._row(request, pk, Kind.BACKGROUND)
        try:
            with store.read(row.sha256) as file:
                content = file.read(background.LARGEST_UPLOAD)
        except FileNotFoundError:
            raise Http404 from None
        return HttpResponse(content, content_type="image/png", headers=HEADERS)

    def _row(self, request: HttpRequest, pk: int, kind: Kind) -> SharedFile:
        self.require(request, SEES)
        row: SharedFile | None = self.tenant_rows(request).filter(pk=pk, kind=kind).first()
        if row is None:
            raise Http404
        return row

    def _page(
        self, request: HttpRequest, owner: FilesOwner, form: forms.Form, template: str, title: str, **more: object
    ) -> HttpResponse:
        context = self.owner_context(request, owner)
        return self.page(
            request,
            f"phones_app/shared_files/{template}",
            title,
            form=form,
            media=self.media + form.media + context["owner_form"].media,
            may_add=self.may_write(request, owner, ADDS, CHANGES),
            may_delete=self.may_write(request, owner, CHANGES, DELETES),
            model_admin=self,
            inherited=owner.account is not None,
            staff=actor_of(request).account is None,
            **context,
            **more,
        )

    def _done(
        self,
        request: HttpRequest,
        owner: FilesOwner,
        form: forms.Form,
        add: Callable[[HttpRequest, FilesOwner, forms.Form], None],
        change: Callable[[HttpRequest, FilesOwner], None],
        page: str,
    ) -> HttpResponse | None:
        """Do what was asked for, and go to the page again; None: the form says what is wrong."""
        try:
            if "add" in request.POST:
                self.require_write(request, owner, ADDS, CHANGES)
                if not form.is_valid():
                    return None
                add(request, owner, form)
            else:
                self.require_write(request, owner, CHANGES, *([DELETES] if "remove" in request.POST else []))
                change(request, owner)
        except Refusal as refusal:
            if "add" in request.POST:
                field = FIELD_OF.get(refusal.code, "")
                form.add_error(field if field in form.fields else next(iter(form.fields)), refusal.message)
                return None
            messages.error(request, refusal.message)
        return HttpResponseRedirect(f"{self.url_of(page)}?{self.owner_query(owner)}")

    def _add_ring_tone(self, request: HttpRequest, owner: FilesOwner, form: forms.Form) -> None:
        given = form.cleaned_data
        content = _content(given["sound"], ring_tone.LARGEST_UPLOAD)
        made = media.add_ring_tone(owner, given["name"], content, stem=given["file_name"], cut=given["cut"])
        tones = [row.path for row in made if row.kind == Kind.RING_TONE]
        messages.success(request, f"{given['name']} is a ring tone now, as {' and '.join(tones)}.")

    def _change_rings(self, request: HttpRequest, owner: FilesOwner) -> None:
        path = request.POST.get("list", "")
        if path not in RING_LISTS:
            raise Http404
        if file := request.POST.get("remove"):
            media.remove_ring_tone(owner, path, file)
            messages.success(request, f"{file} is deleted from {path}.")
        else:
            media.order_ring_tones(owner, path, _ordered(request))
            messages.success(request, f"The order of {path} is stored.")

    def _add_background(self, request: HttpRequest, owner: FilesOwner, form: forms.Form) -> None:
        given = form.cleaned_data
        content = _content(given["picture"], background.LARGEST_UPLOAD)
        made = media.add_background(owner, given["name"], content, whole=given["whole"])
        messages.success(request, f"{given['name']} is a background now. Files: {len(made)}.")

    def _change_backgrounds(self, request: HttpRequest, owner: FilesOwner) -> None:
        if name := request.POST.get("remove"):
            media.remove_background(owner, name)
            messages.success(request, f"{name} is deleted in all sizes.")
        else:
            media.order_backgrounds(owner, _ordered(request))
            messages.success(request, "The order is stored.")


def _content(upload: "UploadedFile[bytes]", most: int) -> bytes:
    """Raises Refusal before anything of it is read."""
    if (upload.size or 0) > most:
        raise Refusal("too-large", f"The file has {upload.size:,} bytes; {most:,} are taken.")
    content: bytes = upload.read()
    return content


def _ordered(request: HttpRequest) -> list[str]:
    """The entries by the numbers in their boxes; the order on the page where two are equal."""

    def number(text: str) -> int:
        return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else 0

    rows = posted_rows(request.POST, "entry")
    return [row.get("file", "") for row in sorted(rows, key=lambda row: number(row.get("position", "")))]
