"""Which loads the phones of an account can be given, and what is removed with one.

An account's firmware comes before that of the portal, as its shared files do (boot server spec §8).
"""

from collections.abc import Callable, Sequence

from django.db import transaction
from django.db.models import F, Q, QuerySet

from contacts_app.accounts.models import Account
from contacts_app.core.errors import Refusal
from phones_app.firmware.models import Firmware
from phones_app.firmware.resets import resets_of
from phones_app.firmware.sets.gates import LoadWay, way_between
from phones_app.shared_files import services as shared_files
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.sep.catalogue import software_of_load

# Why some of these rows cannot be removed now, as sentences.
Blocker = Callable[[Sequence[Firmware]], list[str]]
_blockers: list[Blocker] = []


def register_blocker(reasons: Blocker) -> None:
    """Add why firmware cannot be removed now. Called from `ready`."""
    _blockers.append(reasons)


def way_of(model: str, software_type: str, present: str, target: str) -> LoadWay:
    """The way of a phone whose record says this of it; what it runs, its present load tells better."""
    said = "SIP" if software_type == "SIPE" else software_type
    return way_between(model, software_of_load(present) or said, present, target)


def given_to(account: Account | int | None) -> "QuerySet[Firmware]":
    """The rows for an account's phones: its own and the portal's. None: the portal's alone."""
    owner = account.pk if isinstance(account, Account) else account
    rows = Q(account=None) if owner is None else Q(account=None) | Q(account=owner)
    return Firmware.objects.filter(rows)


def loads_of(account: Account | int | None) -> dict[str, Firmware]:
    """What the phones of an account can be given, by the names of the loads, complete or not."""
    rows = given_to(account).order_by("load")
    return {row.load: row for row in sorted(rows, key=lambda row: (row.load, row.account_id is not None))}


def load_of(load: str, account: Account | int | None) -> Firmware | None:
    """The one of these with this name."""
    # The account's comes last, on databases of every kind.
    return given_to(account).filter(load=load).order_by(F("account").asc(nulls_first=True)).last()


def is_complete(load: str, account: Account | int | None) -> bool:
    """Whether the phones of an account find everything that they ask for on the way to a load."""
    row = load_of(load, account)
    return row is not None and not missing_for(row, account)


def missing_for(row: Firmware, account: Account | int | None) -> list[str]:
    """The files of a load that the phones of an account do not find as they were proved complete."""
    return [*(fault["file"] for fault in row.faults), *hidden_files(row, account)]


def hidden_files(row: Firmware, account: Account | int | None) -> list[str]:
    """The paths of a load of the portal where the account has another content of its own, which its phones get."""
    owner = account.pk if isinstance(account, Account) else account
    if owner is None or row.account_id is not None:
        return []
    own = shared_files.at_paths(row.paths, owner, None)
    wanted = {path.lower(): sha256 for path, sha256 in row.paths.items()}
    return [file.path for path, file in own.items() if file.sha256 != wanted[path]]


def beside(row: Firmware) -> "QuerySet[Firmware]":
    """The other loads whose files may be those of this one."""
    return Firmware.objects.filter(account=row.account_id, folder__iexact=row.folder).exclude(pk=row.pk)


def remove_firmware(row: Firmware) -> int:
    """Delete a load with those of its files that no other load needs; how many files. Raises Refusal."""
    with transaction.atomic():
        if not Firmware.objects.select_for_update().filter(pk=row.pk).exists():
            return 0  # Somebody else was quicker.
        if reasons := [reason for blocker in _blockers for reason in blocker([row])]:
            raise Refusal("firmware-in-use", " ".join(reasons))
        kept = {path.lower() for other in beside(row) for path in other.paths}
        # What boots from this load's components alone would boot from nothing.
        resets = [reset.path for reset in resets_of(row) if reset.loads == (row.load,)]
        files = shared_files.at_paths([*row.paths, *resets], row.account_id, None)
        row.delete()
        gone = (file for path, file in files.items() if path not in kept)
        return shared_files.remove(file for file in gone if file.kind == SharedFile.Kind.FIRMWARE)
