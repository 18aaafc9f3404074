"""A SEP file on a page: line by line with what the checker says, its passwords masked for most people."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest
from django.utils import timezone

from phones_app import sep
from phones_app.models import PhoneProfile

REVEAL = "contacts_app.reveal_secrets"
RECORDED_FOR = timedelta(hours=1)


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
    """Write down that somebody was shown the profile's passwords; once an hour says it for the whole hour."""
    if not may_reveal(request) or profile.revision is None:
        return
    message = f"Was shown {profile.revision} with its passwords."
    same = LogEntry.objects.filter(user=request.user.pk, change_message=message, object_id=str(profile.pk))
    same = same.filter(content_type=ContentType.objects.get_for_model(PhoneProfile))
    if not same.filter(action_time__gt=timezone.now() - RECORDED_FOR).exists():
        LogEntry.objects.log_actions(str(request.user.pk), [profile], CHANGE, message, single_object=True)
