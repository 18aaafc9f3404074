"""What phones make of a shared file, and what they would dial by a dial template."""

from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.companions.check import LARGEST_CHECKED, check_companion, is_checked
from profiles_app.phone.companions.dial_template import DialRule, rules_dialled_by
from profiles_app.phone.companions.dialling import Dialled, try_number
from profiles_app.phone.companions.reading import Unreadable
from profiles_app.phone.sep.elements import Finding


def findings_of(row: SharedFile) -> list[Finding] | None:
    """None: files of this kind have no checker, or the content was lost from the disk."""
    content = _content(row)
    return None if content is None else check_companion(row.kind, content, row.path)


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
    if not is_checked(row.kind) or row.size > LARGEST_CHECKED:
        return None
    try:
        with store.read(row.sha256) as file:
            return file.read()
    except FileNotFoundError:
        return None
