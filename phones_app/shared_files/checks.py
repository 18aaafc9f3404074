"""What phones make of a shared file, and what they would dial by a dial template."""

from django.conf import settings

from contacts_app.core.errors import Refusal
from phones_app.shared_files import services, store
from phones_app.shared_files.media import FilesOwner
from phones_app.shared_files.models import SharedFile
from profiles_app.phone import sep
from profiles_app.phone.companions.check import LARGEST_CHECKED, check_companion, is_checked
from profiles_app.phone.companions.dial_template import DialRule, rules_dialled_by
from profiles_app.phone.companions.dialling import Dialled, try_number
from profiles_app.phone.companions.lists import IMAGES, MOST_ENTRIES, RINGS, KindOfList
from profiles_app.phone.companions.reading import Unreadable, warning
from profiles_app.phone.sep.elements import Finding

_LISTS: dict[str, KindOfList] = {SharedFile.Kind.RING_LIST: RINGS, SharedFile.Kind.BACKGROUND_LIST: IMAGES}


def findings_of(row: SharedFile) -> list[Finding] | None:
    """None: files of this kind have no checker, or the content was lost from the disk."""
    content = _content(row)
    if content is None:
        return None
    if _is_for_text_phones(row):
        return sep.check(content, file_name=sep.TEXT_FOR_ALL)
    return check_companion(row.kind, content, row.path) + _without_files(row, content)


def _is_for_text_phones(row: SharedFile) -> bool:
    return row.path.lower() == sep.TEXT_FOR_ALL.lower()


def _without_files(row: SharedFile, content: bytes) -> list[Finding]:
    """Entries of a list that people can choose on their phones, and get nothing for it."""
    if row.kind not in _LISTS:
        return []
    try:
        entries = _LISTS[row.kind].entries(content)[:MOST_ENTRIES]
    except Unreadable:
        return []
    named = dict.fromkeys(name for entry in entries for name in (entry.file, entry.preview) if name)
    paths = {name: name.removeprefix("TFTP:").lstrip("/") for name in named}
    given = FilesOwner(row.account, row.phone).given(paths.values())
    return [
        warning("missing-file", f"“{name[:80]}” is not among the files that phones with this list are given.")
        for name, path in paths.items()
        if path.lower() not in given and not _is_in_folder(path)
    ]


def _is_in_folder(path: str) -> bool:
    try:
        services.ensure_path(path)
    except Refusal:
        return False
    return bool((settings.PHONE_FILES_DIR / path).is_file())


def dialled_by(
    row: SharedFile, number: str, *, line: int, hash_dials: bool
) -> tuple[Dialled, tuple[DialRule, ...]] | None:
    """What a phone does while somebody types the number, and the rules; None: this is no dial template."""
    content = _content(row) if row.kind == SharedFile.Kind.DIAL_TEMPLATE else None
    try:
        rules = rules_dialled_by(content) if content is not None else None
    except Unreadable:
        return None
    return (try_number(rules, number, line=line, hash_dials=hash_dials), rules) if rules is not None else None


def _content(row: SharedFile) -> bytes | None:
    if not (is_checked(row.kind, row.path) or _is_for_text_phones(row)) or row.size > LARGEST_CHECKED:
        return None
    try:
        with store.read(row.sha256) as file:
            return file.read()
    except FileNotFoundError:
        return None
