"""A SEP file on a page: line by line with what the checker says, its passwords masked for most people.

The form field in which a SEP file is edited: line numbers, marks, and the very bytes back.

Revisions on a profile's page: any two side by side with their passwords masked, and the way back to one.
"""

import json
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString
from django_ace import AceWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import page_of
from contacts_app.core.errors import Refusal
from contacts_app.people.models import REVEAL
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, ProfileRevision
from profiles_app.phone.services import restore_revision

RECORDED_FOR = timedelta(hours=1)
# No browser shows more in good time, and no phone has so long a file.
SHOWN_LINES = 5_000


@dataclass(frozen=True)
class FileLine:
    text: str
    findings: tuple[sep.Finding, ...]

    @property
    def severity(self) -> str:
        return min((finding.severity.value for finding in self.findings), default="")


def may_reveal(request: HttpRequest) -> bool:
    return request.user.has_perm(REVEAL)


def visible_text(request: HttpRequest, content: bytes) -> str:
    """The file as this person may see it."""
    shown = content if may_reveal(request) else sep.redact(content)
    try:
        return sep.decode(shown)
    except sep.Refused:
        return shown.decode("utf-8", "backslashreplace")


def file_lines(request: HttpRequest, content: bytes, findings: Iterable[sep.Finding]) -> list[FileLine]:
    by_line: dict[int, list[sep.Finding]] = defaultdict(list)
    for finding in findings:
        if finding.line:
            by_line[finding.line].append(finding)
    lines = visible_text(request, content).replace("\r\n", "\n").split("\n")
    return [FileLine(text, tuple(by_line[number])) for number, text in enumerate(lines, start=1)]


def record_reveal(request: HttpRequest, profile: PhoneProfile) -> None:
    """Write down that somebody was shown the profile's present passwords; once an hour says it for the whole hour."""
    if profile.revision is not None:
        record_look(request, profile, str(profile.revision))


def record_look(request: HttpRequest, row: Model, what: str) -> None:
    """The same of passwords in something else that belongs to a row."""
    if not may_reveal(request):
        return
    message = f"Was shown {what} with its passwords."
    same = LogEntry.objects.filter(user=request.user.pk, change_message=message, object_id=str(row.pk))
    same = same.filter(content_type=ContentType.objects.get_for_model(row))
    if not same.filter(action_time__gt=timezone.now() - RECORDED_FOR).exists():
        LogEntry.objects.log_actions(str(request.user.pk), [row], CHANGE, message, single_object=True)


THEMES = ("chrome", "one_dark")  # Light and dark; editor.js chooses as the page does.


def marks_of(findings: Iterable[sep.Finding]) -> list[dict[str, object]]:
    """As the editor takes what stands beside its lines; it counts from 0."""
    return [
        {
            "row": finding.line - 1,
            "column": (finding.column or 1) - 1,
            "text": finding.message,
            "type": finding.severity.value,
        }
        for finding in findings
        if finding.line
    ]


class XmlEditor(AceWidget):
    """`lines`: from how many lines to how many it grows with its text; None: it is as high as a file needs."""

    # Of a page that says what is wrong with the form's text without storing it.
    check_url = ""

    def __init__(self, lines: tuple[int, int] | None = None) -> None:
        # The editor's own XML worker is off: it takes unbound prefixes, which phones ignore, for errors.
        super().__init__(
            mode="xml",
            theme=THEMES[0],
            width="100%",
            height=None if lines else "560px",
            minlines=lines and lines[0],
            maxlines=lines and lines[1],
            useworker=False,
            showprintmargin=False,
            toolbar=False,
            tabsize=2,
            fontsize="13px",
        )

    @property
    def media(self) -> forms.Media:
        ace = (f"django_ace/ace/theme-{THEMES[1]}.js", "django_ace/ace/ext-searchbox.js")
        return super().media + forms.Media(js=[*ace, "patchbay/editor.js"])

    def annotate(self, findings: Iterable[sep.Finding]) -> None:
        """Let the editor mark these lines."""
        self.attrs["data-annotations"] = json.dumps(marks_of(findings))

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        """With what the checker says beside it, as it is typed, where there is a page that checks."""
        editor = super().render(*args, **kwargs)
        context = {"editor": editor, "check_url": self.check_url}
        return SafeString(render_to_string("profiles_app/phone/editor.html", context)) if self.check_url else editor


class XmlField(forms.CharField):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, widget=XmlEditor(), **kwargs)


def with_line_ends_of(old: str, posted: str) -> str:
    """The posted text as the old one writes its lines: browsers send CRLF, whatever the file had.

    A text that differs in nothing else comes back as it was, even where its line ends were mixed.
    """
    plain = _plain(posted)
    if plain == _plain(old):
        return old
    return plain.replace("\n", "\r\n") if "\r\n" in old else plain


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


class RevisionPages(PortalAdmin):
    pages = {"compare": "<path:object_id>/compare/", "restore": "<path:object_id>/restore/<str:number>/"}

    def compare_page(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Without being told which two: the present one beside the one before."""
        profile = self.row_or_404(request, object_id)
        self.require(request, "profiles_app.view_phoneprofile")
        revisions = list(profile.revisions.own().defer("content"))
        newest = revisions[0].number if revisions else 0
        old = _revision(profile, request.GET.get("old", str(max(newest - 1, 1))))
        new = _revision(profile, request.GET.get("new", str(newest)))
        before, after = bytes(old.content), bytes(new.content)
        pairs = sep.side_by_side(before, after)
        differs = any(pair.differs for pair in pairs)
        whole = "whole" in request.GET or not differs
        rows = [(pair, 0) for pair in pairs] if whole else sep.folded(pairs)
        return self.page(
            request,
            "profiles_app/phone/compare.html",
            f"{profile}: {old} beside {new}",
            profile=profile,
            revisions=revisions,
            old=old,
            new=new,
            rows=rows[:SHOWN_LINES],
            not_shown=max(len(rows) - SHOWN_LINES, 0),
            whole=whole,
            same=before == after,
            only_secrets=before != after and not differs,
            may_restore=self.has_change_permission(request, profile),
        )

    def restore_page(self, request: HttpRequest, object_id: str, number: str) -> HttpResponse:
        profile = self.row_or_404(request, object_id)
        if not self.has_change_permission(request, profile):
            self.require(request, "profiles_app.change_phoneprofile")
            raise Http404
        revision = _revision(profile, number)
        back = page_of(profile)
        question = (
            f"Restore {revision} of {profile}? Its file becomes the profile's present one, as a new revision. "
            "No phone is told until the profile is deployed."
        )
        if asked := self.confirmed(request, question=question, button="Restore", back=back):
            return asked
        try:
            restored = restore_revision(revision, actor=actor_of(request), reason=request.POST.get("_reason", ""))
        except Refusal as refusal:
            messages.error(request, refusal.message)
        else:
            self.log_change(request, restored, f"Restored {revision}.")
            messages.success(request, f"{restored} says what {revision} said; this is {restored.revision} now.")
        return HttpResponseRedirect(back)


def _revision(profile: PhoneProfile, number: str) -> ProfileRevision:
    # What is longer is no number that a column holds.
    known = number.isascii() and number.isdigit() and len(number) < 10
    revision = profile.revisions.filter(number=int(number)).first() if known else None
    if revision is None:
        raise Http404(f"There is no revision {number}.")
    return revision
