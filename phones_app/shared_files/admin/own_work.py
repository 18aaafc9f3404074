"""What the bell above the pages of the admin tells of shared files that a person uploaded there, firmware included: their
copies on FTP servers are brought there after the page was answered. Those of one request are one piece of work.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import list_url
from contacts_app.core.admin.work import LongWork
from contacts_app.core.history.models import tracked_models
from contacts_app.core.lists.among import among
from phones_app.servers.models import FileServer
from phones_app.shared_files.copies import CopyProgress
from phones_app.shared_files.models import CopyState, FileCopy, SharedFile

# So many of the newest changes of a person are looked at on each page, in the order of an index.
LOOKED_AT = 1000
# A path, and the key of the account whose phones read it; None: those of all.
Place = tuple[str, int | None]


@dataclass
class UploadedFiles:
    """The files of one request, with the states of their copies and when those in place were brought there."""

    began: datetime
    paths: set[str] = field(default_factory=set)
    copies: list[tuple[str, datetime | None]] = field(default_factory=list)

    @property
    def progress(self) -> CopyProgress:
        states = [state for state, _ in self.copies]
        return CopyProgress(len(states), states.count(CopyState.IN_PLACE), states.count(CopyState.FAILED), leaving=0)

    @property
    def ended(self) -> datetime | None:
        """One that failed is tried again and again."""
        is_done = all(state == CopyState.IN_PLACE for state, _ in self.copies)
        return max((placed for _, placed in self.copies if placed), default=self.began) if is_done else None

    @property
    def url(self) -> str:
        if len(self.paths) == 1:
            return list_url(FileCopy, q=next(iter(self.paths)))
        failed = {"state__exact": CopyState.FAILED.value} if self.progress.failed else {}
        return list_url(FileCopy, **failed)

    def __str__(self) -> str:
        what = next(iter(self.paths)) if len(self.paths) == 1 else f"{len(self.paths):,} files"
        return f"{what} → file servers"


def copies_of_person(request: HttpRequest, since: datetime, most: int) -> Iterator[LongWork]:
    """Two queries, the second one only for who has uploaded something."""
    pages = admin.site.get_model_admin(FileCopy)
    if not isinstance(pages, PortalAdmin) or not pages.has_view_permission(request):
        return
    asked = _uploads(request.user.pk, since)
    if not asked:
        return
    takers = FileServer.objects.filter(takes_shared_files=True, is_embedded=False).values("pk")
    rows = pages.tenant_rows(request).filter(server__in=takers, path__in=among({path for path, _ in asked}))
    copies = rows.exclude(sha256="").order_by().values_list("path", "server__account", "state", "placed_at")
    for path, account, state, placed in copies:
        # The account's file goes before everybody's.
        if found := asked.get((path, account)) or asked.get((path, None)):
            found.copies.append((state, placed))
    copied = {id(each): each for each in asked.values() if each.copies}.values()
    # What is running is not hidden by what was uploaded later and is in place.
    for each in sorted(copied, key=lambda one: (one.ended is None, one.began), reverse=True)[:most]:
        yield LongWork(
            title=str(each),
            url=each.url,
            state=partial(str, each.progress),
            began_at=each.began,
            ended_at=each.ended,
            # As long as something fails, it has not ended.
            has_failed=lambda: False,
            share=partial(_percent, each.progress),
        )


def _uploads(user: int | None, since: datetime) -> dict[Place, UploadedFiles]:
    """What was uploaded at each place last."""
    news = Q(history_type="+") | Q(history_type="~", history_changes__has_any_keys=["sha256", "path"])
    rows = tracked_models[SharedFile].rows_of_model()
    mine = rows.filter(news, history_user=user, history_channel="admin", history_date__gt=since, phone=None)
    columns = ("history_request_id", "history_date", "path", "account")
    newest = mine.order_by("-history_date", "-history_id").values_list(*columns)[:LOOKED_AT]
    requests: dict[str, UploadedFiles] = {}
    found: dict[Place, UploadedFiles] = {}
    for request_id, at, path, account in newest:
        if (path, account) not in found:
            found[path, account] = requests.setdefault(request_id, UploadedFiles(at))
            found[path, account].paths.add(path)
    return found


def _percent(progress: CopyProgress) -> int:
    return progress.in_place * 100 // progress.total if progress.total else 100
