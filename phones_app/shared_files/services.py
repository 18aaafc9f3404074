"""What is done with shared files: put there, replaced, changed, removed; and which of them a phone is given.

Who keeps something in step with them, as copies on FTP servers, registers by `when_changed`.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Lower
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.errors import Refusal
from contacts_app.core.history.models import recorded_together
from contacts_app.core.history.records import BATCH, create_recorded, save_recorded
from contacts_app.core.tables import table
from phones_app.inventory.models import Phone
from phones_app.shared_files.models import LONGEST_PATH, SharedFile, path_validator
from phones_app.shared_files.store import StoredContent

Kind = SharedFile.Kind
# What a phone asks for under a name of its own is a profile's file, which deployments upload and confirm.
_FROM_PROFILE = re.compile(r"(?:.*/)?(?:SEP|SIP|ATA)[0-9A-F]{12}(?:\..*)?", re.IGNORECASE)
FROM_PROFILE = "Files of single phones are made from their profiles."
_ROOT = re.compile(rb"(?:\xef\xbb\xbf)?\s*(?:<[?!][^>]*>\s*)*<([A-Za-z][\w.-]*)")

# Called in the transaction with the account, the phone (None: all phones) and the paths whose content is another one.
Listener = Callable[[int | None, int | None, Sequence[str]], None]
_listeners: list[Listener] = []


@dataclass(frozen=True)
class NewFile:
    """A content for a path. `kind` None: by the table; an empty `description` leaves the present one."""

    path: str
    content: StoredContent
    account: Account | None = None
    phone: Phone | None = None
    kind: str | None = None
    description: str = ""

    @property
    def owner(self) -> tuple[int | None, int | None]:
        """The account and the phone."""
        if self.phone is not None:
            return self.phone.account_id, self.phone.pk
        return self.account.pk if self.account else None, None


class BadPath(Refusal):
    """No shared file can have this path, or it is another's."""

    def __init__(self, path: str, why: str, code: str = "bad-path") -> None:
        shown = path if path.isprintable() else ascii(path)
        super().__init__(code, f"{shown[-LONGEST_PATH:]}: {why}")
        self.fields: Mapping[str, list[str]] = {"path": [why]}


def when_changed(call: Listener) -> None:
    _listeners.append(call)


def put(
    path: str,
    content: StoredContent,
    *,
    account: Account | None = None,
    phone: Phone | None = None,
    kind: str | None = None,
    description: str = "",
) -> SharedFile:
    """Store a file, over the one at this path in whatever case. Raises Refusal."""
    return put_many([NewFile(path, content, account, phone, kind, description)])[0]


def put_many(files: Iterable[NewFile]) -> list[SharedFile]:
    """The same for many, all or none of them, in a number of statements that does not grow with theirs."""
    new: dict[tuple[int | None, int | None], dict[str, NewFile]] = {}
    for file in files:
        _check(file)
        of_owner = new.setdefault(file.owner, {})
        if file.path.lower() in of_owner:
            raise BadPath(file.path, "There is another file at this path among these.", "twice")
        of_owner[file.path.lower()] = file
    try:
        with transaction.atomic():
            return _put(new)
    except IntegrityError:
        # Somebody else has put a file at one of these paths meanwhile: now it is there to be replaced.
        with transaction.atomic():
            return _put(new)


def change(row: SharedFile, names: Iterable[str]) -> None:
    """Store what was changed of a row: path, kind or description. Raises Refusal."""
    ensure_path(row.path)
    stored = SharedFile.objects.only("path").filter(pk=row.pk).first()
    if stored is None:
        raise Refusal("file-deleted", f"{row.path} has just been deleted.")
    row.updated_at = timezone.now()
    try:
        with transaction.atomic():
            save_recorded([row], [*names, "updated_at"])
            if stored.path != row.path:
                _tell(row.account_id, row.phone_id, [stored.path, row.path])
    except IntegrityError:
        raise Refusal("path-taken", f"There is a file at {row.path} already, in whatever case.") from None


def remove(rows: Iterable[SharedFile]) -> int:
    """Delete files; how many. Their contents are swept when no other row names them."""
    gone = list(rows)
    paths: dict[tuple[int | None, int | None], list[str]] = {}
    for row in gone:
        paths.setdefault((row.account_id, row.phone_id), []).append(row.path)
    with transaction.atomic(), recorded_together():
        for start in range(0, len(gone), BATCH):
            SharedFile.objects.filter(pk__in=[row.pk for row in gone[start : start + BATCH]]).delete()
        for (account, phone), of_owner in paths.items():
            _tell(account, phone, of_owner)
    return len(gone)


def kind_of(path: str, head: bytes = b"") -> Kind:
    """What a file is, by its path or, where that says nothing, by the outermost element that it begins with."""
    for pattern, kind in _patterns():
        if pattern.fullmatch(path):
            return kind
    root = _ROOT.match(head)
    roots: dict[str, str] = table(__file__, "kinds.toml")["root"]
    return Kind(roots.get(root[1].decode("ascii"), Kind.OTHER)) if root else Kind.OTHER


def given_to(phone: Phone | None, account: Account | None) -> "QuerySet[SharedFile]":
    """The files that are for a phone: its own, its account's and everybody's. None: no phone, or account, is known."""
    owner = phone.account_id if phone is not None else account and account.pk
    rows = Q(account=None)
    if owner is not None:
        rows |= Q(account=owner, phone=None)
    if phone is not None:
        rows |= Q(phone=phone)
    return SharedFile.objects.filter(rows)


def nearest(rows: Iterable[SharedFile]) -> dict[str, SharedFile]:
    """Of rows that `given_to` found, by their paths in lower case: a phone's before its account's before everybody's."""
    found: dict[str, SharedFile] = {}
    for row in sorted(rows, key=lambda row: (row.phone_id is not None, row.account_id is not None)):
        found[row.path.lower()] = row
    return found


def at_paths(
    paths: Iterable[str], account: int | None, phone: int | None, rows: "QuerySet[SharedFile] | None" = None
) -> dict[str, SharedFile]:
    """What there is at these paths in any case for exactly this account and phone, by the path in lower case."""
    of_owner = (SharedFile.objects.all() if rows is None else rows).filter(account=account, phone=phone)
    names = sorted({path.lower() for path in paths})
    found: dict[str, SharedFile] = {}
    for start in range(0, len(names), BATCH):
        batch = of_owner.alias(lower=Lower("path")).filter(lower__in=names[start : start + BATCH])
        found |= {row.path.lower(): row for row in batch}
    return found


def locked() -> "QuerySet[SharedFile]":
    """Rows for `at_paths` that stay as they are until the end of the transaction."""
    return SharedFile.objects.order_by("pk").select_for_update(of=("self",))


def ensure_path(path: str) -> None:
    """Raise BadPath for what can be the path of no shared file."""
    try:
        path_validator(path)
    except ValidationError as error:
        raise BadPath(path, error.messages[0]) from None
    if len(path) > LONGEST_PATH:
        raise BadPath(path, f"At most {LONGEST_PATH} characters.")
    if is_from_profile(path):
        raise BadPath(path, FROM_PROFILE, "phones-own-file")


def is_from_profile(path: str) -> bool:
    """Whether a deployment brings this file. Trust lists are of one phone as well, and may be shared files."""
    return _FROM_PROFILE.fullmatch(path) is not None


def _check(file: NewFile) -> None:
    ensure_path(file.path)
    if file.phone is not None and file.account is not None and file.phone.account_id != file.account.pk:
        raise Refusal("phone-of-another-account", f"{file.phone} is a phone of another account.")


def _put(new: dict[tuple[int | None, int | None], dict[str, NewFile]]) -> list[SharedFile]:
    placed: list[SharedFile] = []
    for (account, phone), files in new.items():
        present = at_paths(files, account, phone, locked())
        made, replaced, paths = [], [], list[str]()
        for lower, file in files.items():
            row = present.get(lower)
            if row is None:
                row = SharedFile(account_id=account, phone_id=phone, kind=kind_of(file.path, file.content.head))
                made.append(row)
            before = row.path, row.sha256, row.kind, row.description
            row.path, row.sha256, row.size = file.path, file.content.sha256, file.content.size
            row.kind, row.description = file.kind or row.kind, file.description or row.description
            after = row.path, row.sha256, row.kind, row.description
            if row.pk is not None and before != after:
                row.updated_at = timezone.now()
                replaced.append(row)
            if before[:2] != after[:2]:
                paths += {row.path, before[0] or row.path}
            placed.append(row)
        create_recorded(made)
        save_recorded(replaced, ["path", "sha256", "size", "kind", "description", "updated_at"])
        if made or replaced:
            _ensure_within_limit(account)
        if paths:
            _tell(account, phone, paths)
    return placed


def _ensure_within_limit(account: int | None) -> None:
    """Within the transaction that has stored more for it."""
    most = settings.SHARED_FILES_ACCOUNT_MB
    if account is None or not most:
        return
    total = SharedFile.objects.filter(account=account).aggregate(total=Sum("size"))["total"] or 0
    if total > most * 1024**2:
        raise Refusal("account-full", f"The account may have {most:,} MB of files, and has them. Delete some first.")


def _tell(account: int | None, phone: int | None, paths: Sequence[str]) -> None:
    for listener in _listeners:
        listener(account, phone, paths)


def used(digests: Iterable[str]) -> set[str]:
    """Those of these contents that a row names."""
    names = list(digests)
    found: set[str] = set()
    for start in range(0, len(names), BATCH):
        rows = SharedFile.objects.filter(sha256__in=names[start : start + BATCH]).order_by()
        found.update(rows.values_list("sha256", flat=True))
    return found


@cache
def _patterns() -> list[tuple[re.Pattern[str], Kind]]:
    rows: list[dict[str, str]] = table(__file__, "kinds.toml")["kind"]
    return [(re.compile(row["pattern"], re.IGNORECASE), Kind(row["kind"])) for row in rows]
