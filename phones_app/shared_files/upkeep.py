"""Contents of shared files that no row names any more: deleted where `manage.py prune_history` runs."""

from datetime import datetime

from contacts_app.core.retention import Counts, Retention, Tell
from phones_app.shared_files import store
from phones_app.shared_files.services import used

WHAT = "unused contents of files"


def count_unused(before: datetime) -> Counts:
    return {WHAT: sum(1 for _ in store.unused(used, before.timestamp()))}


def prune_unused(before: datetime, tell: Tell) -> Counts:
    deleted = store.sweep(used, before.timestamp())
    tell(deleted)
    return {WHAT: deleted}


UNUSED = Retention(WHAT, "KEEP_UNUSED_CONTENTS_DAYS", count_unused, prune_unused)
