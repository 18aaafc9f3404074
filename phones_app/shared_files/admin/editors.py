"""Editors of dial templates and soft keys: a table or the text, the checker beside it, and a number to try."""

from dataclasses import dataclass
from typing import cast

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.shortcuts import render
from unfold.decorators import action
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts_app.core.admin.links import of_address
from contacts_app.core.admin.rows import Row
from contacts_app.core.errors import Refusal
from phones_app.shared_files.admin.owner import ADDS, CHANGES, SEES, OwnerPages
from phones_app.shared_files.admin.tables import TABLES, FileTable
from phones_app.shared_files.checks import findings_of
from phones_app.shared_files.intake import OnePath, take_in_one
from phones_app.shared_files.media import FilesOwner, content_of
from phones_app.shared_files.models import LONGEST_PATH, SharedFile
from profiles_app.phone.admin.revision import XmlField, marks_of
from profiles_app.phone.companions.check import check_companion
from profiles_app.phone.companions.dial_template import rules_dialled_by
from profiles_app.phone.companions.dialling import LONGEST_NUMBER, Dialled, try_number
from profiles_app.phone.companions.reading import Unreadable
from profiles_app.phone.companions.soft_keys import usual_sets, write_soft_keys
from profiles_app.phone.sep.elements import Finding, Severity

SHOWN = 200
CHANGED = "Somebody else has changed this file meanwhile. Open it again to see what it is now."


@dataclass(frozen=True)
class Editor:
    """`path` and `first`: what a new file is called, and what stands in it."""

    kind: str
    title: str
    one: str
    path: str
    first: bytes
    about: str


EDITORS = {
    editor.kind: editor
    for editor in (
        Editor(
            "dial-template",
            "Dial templates",
            "dial template",
            "dialplan.xml",
            b'<DIALTEMPLATE>\n  <TEMPLATE MATCH="*" Timeout="5"/>\n</DIALTEMPLATE>\n',
            "Which numbers phones dial by themselves, and after how long. A phone reads the one that its own file names "
            "(setting “Dial template”).",
        ),
        Editor(
            "soft-keys",
            "Soft keys",
            "soft key file",
            "softkeys.xml",
            write_soft_keys(usual_sets()),
            "Which keys stand below the screen in each state of a call. A phone reads the file that its own file names "
            "(setting “Soft key file”).",
        ),
    )
}


class CompanionForm(forms.Form):
    """One file, as a table or as text. `before` is what was stored when the page was made."""

    before = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, editor: Editor, content: bytes, data: object = None, *, as_text: bool, new: bool) -> None:
        super().__init__(data)  # type: ignore[arg-type]
        self.editor, self.stored = editor, content
        if new:
            self.fields["path"] = forms.CharField(
                max_length=LONGEST_PATH,
                initial=editor.path,
                widget=UnfoldAdminTextInputWidget,
                help_text="As the phones' own files name it.",
            )
        self.table: FileTable = TABLES[editor.kind]()
        rows = None if as_text else self.table.rows_of(content)
        self.as_text = rows is None
        if self.as_text:
            text = content.decode("utf-8", "replace")
            self.fields["text"] = XmlField(label="Text", initial=text, help_text="Tab indents; Esc leaves the editor.")
        else:
            self.fields["rows"] = self.table
            self.initial["rows"] = rows

    def clean(self) -> dict[str, object]:
        given: dict[str, object] = super().clean() or self.cleaned_data
        content = b""
        if self.as_text and "text" in given:
            content = str(given["text"]).replace("\r\n", "\n").encode()
        elif "rows" in given:
            content = self.table.content_for(cast("list[Row]", given["rows"]), self.stored)
        given["content"] = content
        return given

    @property
    def findings(self) -> list[Finding]:
        return check_companion(self.editor.kind, self.cleaned_data["content"])


class TryForm(forms.Form):
    typed = forms.RegexField(r"^[0-9*#+]*$", required=False, max_length=LONGEST_NUMBER)
    try_line = forms.IntegerField(required=False, min_value=1, max_value=255)
    hash_dials = forms.BooleanField(required=False)


class EditorPages(OwnerPages):
    change_form_outer_after_template = "phones_app/shared_files/shown.html"
    pages = {
        "editor": "editors/<str:kind>/",
        "edit_check": "editors/<str:kind>/check/",
        "edit": "editors/<str:kind>/<str:which>/",
    }

    def shown(self, request: HttpRequest, row: SharedFile) -> dict[str, object]:
        """What phones make of the file, also of one that was uploaded as it is."""
        told: dict[str, object] = super().shown(request, row)
        findings = findings_of(row)
        return told if findings is None else told | {"checked": True, "findings": findings, "file": row}

    def has_edit_one_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        rows = self.tenant_rows(request).filter(kind__in=EDITORS)
        return request.user.has_perm(SEES) and of_address(rows, object_id).exists()

    @action(description="Edit…", icon="edit", permissions=["edit_one"])
    def edit_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.row_or_404(request, object_id)
        return HttpResponseRedirect(self.url_of("edit", row.kind, row.pk))

    def editor_page(self, request: HttpRequest, kind: str) -> HttpResponse:
        """The files of one kind."""
        self.require(request, SEES)
        editor = _editor(kind)
        rows = self.tenant_rows(request).filter(kind=kind).select_related("account", "phone").order_by("path", "pk")
        found = list(rows[: SHOWN + 1])
        return self.page(
            request,
            "phones_app/shared_files/editor.html",
            editor.title,
            editor=editor,
            rows=found[:SHOWN],
            more=self.url_of("changelist") + f"?kind__exact={kind}" if len(found) > SHOWN else "",
            may_add=request.user.has_perms([ADDS, CHANGES]),
        )

    def edit_page(self, request: HttpRequest, kind: str, which: str) -> HttpResponse:
        """One of them, or a new one."""
        self.require(request, SEES)
        editor, row, owner = self._edited(request, kind, which)
        try:
            content = content_of(row) if row else editor.first
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self.url_of("editor", kind))
        sent = request.method == "POST"
        as_text = "text" in request.POST if sent else request.GET.get("as") == "text"
        form = CompanionForm(editor, content, request.POST if sent else None, as_text=as_text, new=row is None)
        form.initial["before"] = row.sha256 if row else ""
        if sent:
            self.require_write(request, owner, CHANGES, *([] if row else [ADDS]))
            if form.is_valid() and (answer := self._stored(request, form, row, owner)):
                return answer
        context = self.owner_context(request, owner)
        return self.page(
            request,
            "phones_app/shared_files/edit.html",
            f"{row}" if row else f"New {editor.one}",
            editor=editor,
            form=form,
            row=row,
            may_write=self.may_write(request, owner, CHANGES, *([] if row else [ADDS])),
            check_url=self.url_of("edit_check", kind),
            model_admin=self,
            media=self.media + form.media + forms.Media(js=["patchbay/rows.js"]) + context["owner_form"].media,
            inherited=False,
            **context,
        )

    def edit_check_page(self, request: HttpRequest, kind: str) -> HttpResponse:
        """What the checker says of what is typed, and what a phone dials: in the page by script, else on its own."""
        self.require(request, SEES)
        editor = _editor(kind)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        as_text = "text" in request.POST
        form = CompanionForm(editor, editor.first, request.POST, as_text=as_text, new=False)
        errors: list[str] = [] if form.is_valid() else [str(text) for texts in form.errors.values() for text in texts]
        findings = form.findings if not errors else []
        context: dict[str, object] = {
            "errors": errors,
            "findings": findings,
            "as_text": as_text,
            "size": len(form.cleaned_data.get("content", b"")),
            "marks": marks_of(findings) if as_text else [],
        }
        if kind == "dial-template" and not errors:
            context |= _tried(request, form.cleaned_data["content"])
        if "HX-Request" in request.headers:
            return render(request, "phones_app/shared_files/checked.html", context)
        return self.page(request, "phones_app/shared_files/checked_page.html", editor.title, **context)

    def _edited(self, request: HttpRequest, kind: str, which: str) -> tuple[Editor, SharedFile | None, FilesOwner]:
        editor = _editor(kind)
        if which == "new":
            return editor, None, self.owner_of(request)
        if not (which.isascii() and which.isdigit() and len(which) < 19):
            raise Http404
        rows = self.tenant_rows(request).select_related("account", "phone")
        row: SharedFile | None = rows.filter(pk=int(which), kind=kind).first()
        if row is None:
            raise Http404
        return editor, row, FilesOwner(row.account, row.phone)

    def _stored(
        self, request: HttpRequest, form: CompanionForm, row: SharedFile | None, owner: FilesOwner
    ) -> HttpResponse | None:
        """None: the form says why it was not stored."""
        faults = [finding for finding in form.findings if finding.severity is Severity.ERROR]
        for finding in faults:
            form.add_error(None, f"Line {finding.line}: {finding.message}" if finding.line else finding.message)
        if faults:
            return None
        path = row.path if row else form.cleaned_data["path"]

        def ensure(present: SharedFile | None) -> None:
            if row is None and present is not None:
                raise Refusal("path-taken", "There is a file at this path already.")
            if row is not None and (present is None or present.sha256 != form.cleaned_data["before"]):
                raise Refusal("changed-meanwhile", CHANGED)

        place = OnePath(path, owner.account, owner.phone, form.editor.kind)
        try:
            put = take_in_one([form.cleaned_data["content"]], place, ensure=ensure)
        except Refusal as refusal:
            form.add_error("path" if "path" in form.fields else None, refusal.message)
            return None
        messages.success(request, f"{put} is stored. Phones read it when they start the next time.")
        return HttpResponseRedirect(
            self.url_of("edit", form.editor.kind, put.pk) + ("?as=text" if form.as_text else "")
        )


def _editor(kind: str) -> Editor:
    if kind not in EDITORS:
        raise Http404
    return EDITORS[kind]


def _tried(request: HttpRequest, content: bytes) -> dict[str, object]:
    form = TryForm(request.POST)
    if not form.is_valid():
        return {"try_error": "A number has digits, * # and +."}
    given = form.cleaned_data
    try:
        rules = rules_dialled_by(content)
    except Unreadable:
        return {}
    hotline = try_number(rules, "", line=given["try_line"] or 1)
    if not given["typed"] and not (hotline.rule and hotline.seconds == 0):
        return {}
    tried: Dialled = try_number(rules, given["typed"], line=given["try_line"] or 1, hash_dials=given["hash_dials"])
    rule = rules[tried.rule - 1] if tried.rule else None
    return {"tried": tried, "rule": rule, "left_over": tried.left_over(given["typed"])}
