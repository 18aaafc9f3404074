"""Looks again for the files of each load: after a change of shared files at once, and several times a day for what was
lost from the disk. Who listens hears of a load that is not complete any more, and that it is again (boot server spec §8).

A row is due at `due_at`, which is set ahead while it is checked; one that was marked due meanwhile stays so.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.history.records import save_recorded
from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.firmware.models import Firmware
from phones_app.firmware.resets import lists_beside
from phones_app.firmware.sets.package import LOADS
from phones_app.firmware.sets.verdict import FirmwareFault, faults_as_rows
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile
from phones_app.shared_files.services import at_paths
from profiles_app.events.outbox import EventDraft, emit_many

FIRMWARE_CHECKS = "firmware-checks"
AGAIN = timedelta(hours=6)
INCOMPLETE, COMPLETE = "firmware-incomplete", "firmware-complete"


class FirmwareChecks(Work):
    name = queue = FIRMWARE_CHECKS
    model = Firmware
    due_field = "due_at"
    batch = 20
    claim_time = timedelta(minutes=5)

    @classmethod
    def due(cls) -> "QuerySet[Firmware]":
        return Firmware.objects.filter(due_at__lte=clock.now())

    def do(self, keys: Sequence[int]) -> None:
        check(list(Firmware.objects.filter(pk__in=among(keys)).select_related("account")))


def files_changed(account: int | None, phone: int | None, paths: Sequence[str]) -> None:
    """Have those loads checked that other contents, or none, may concern. Called in the transaction of the change."""
    if phone is not None:
        return
    changed = {path.lower() for path in paths}
    lists = {path.rpartition("/")[0] for path in changed if path.endswith(LOADS)}
    rows = Firmware.objects.filter(account=account).only("folder", "components")
    keys = [row.pk for row in rows if row.folder.lower() in lists or not changed.isdisjoint(map(str.lower, row.paths))]
    if keys:
        check_soon(Firmware.objects.filter(pk__in=among(keys)))


def check_soon(rows: "QuerySet[Firmware]") -> None:
    rows.update(due_at=clock.now())
    nudge_after_commit(FIRMWARE_CHECKS)


def check(rows: Sequence[Firmware]) -> list[Firmware]:
    """Compare loads with the files that are there now; return those rows of them that this was written down of."""
    found = {
        row.pk: (list(faults_as_rows(list(_faults(row, files)))), _remarks(row)) for row, files in _with_files(rows)
    }
    with transaction.atomic():
        locked = Firmware.objects.filter(pk__in=among([row.pk for row in rows])).select_for_update(of=("self",))
        present = {row.pk: row for row in locked.order_by("pk").select_related("account")}
        # One that was marked due, or added anew, since is checked once more.
        ours = [row for one in rows if (row := present.get(one.pk)) is not None and row.due_at == one.due_at]
        drafts = [draft for row in ours if (draft := _news(row, found[row.pk][0])) is not None]
        for row in ours:
            row.faults, row.remarks = found[row.pk]
            row.checked_at = clock.now()
            row.due_at = row.checked_at + AGAIN
        save_recorded(ours, ["faults", "remarks", "checked_at", "due_at"])
        emit_many(drafts)
    return ours


def _with_files(rows: Iterable[Firmware]) -> Iterator[tuple[Firmware, dict[str, SharedFile]]]:
    of_owner: defaultdict[int | None, list[Firmware]] = defaultdict(list)
    for row in rows:
        of_owner[row.account_id].append(row)
    for owner, loads in of_owner.items():
        files = at_paths((path for row in loads for path in row.paths), owner, None)
        yield from ((row, files) for row in loads)


def _faults(row: Firmware, files: dict[str, SharedFile]) -> Iterator[FirmwareFault]:
    for component in row.components:
        path = row.path_of(component["name"])
        file = files.get(path.lower())
        if code := _fault(path, component["sha256"], file):
            yield FirmwareFault(code, component["name"], _WORDS[code], component["platform"])


_WORDS = {
    "missing": "it is not there",
    "case": "it is there with other capitals, and the case of names counts",
    "replaced": "it was replaced by another content since the load was added",
    "lost": "its content is gone from the disk",
}


def _fault(path: str, sha256: str, file: SharedFile | None) -> str:
    if file is None:
        return "missing"
    if file.path != path:
        return "case"
    if file.sha256 != sha256:
        return "replaced"
    try:
        return "" if store.place_of(sha256).stat().st_size == file.size else "lost"
    except OSError:
        return "lost"


def _remarks(row: Firmware) -> list[dict[str, str]]:
    """What is remarkable about it beside the others of its folder."""
    beside = [one for one in lists_beside(row) if one.load == row.load]
    return list(faults_as_rows([remark for one in beside for remark in one.remarks]))


def _news(row: Firmware, faults: Sequence[dict[str, str]]) -> EventDraft | None:
    """Told once when it ceases to be complete, and once when it is again."""
    if bool(row.faults) == bool(faults):
        return None
    data = {
        "uuid": row.uuid,
        "load": row.load,
        "version": row.version,
        "protocol": row.protocol,
        "models": row.phone_models,
        "faults": faults,
        "error": "; ".join(f"{fault['file']}: {fault['message']}" for fault in faults[:5]),
    }
    return EventDraft(row.account, ["firmware", INCOMPLETE if faults else COMPLETE], "firmware", data, row.uuid)
