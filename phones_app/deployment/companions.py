"""What phones' files name, against what their file servers hold: warnings before a deployment, and of its upload.

Where it cannot be known whether a file is there, nothing is said of it; and nothing is refused.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from django.db.models import Q
from django.db.models.functions import Lower

from contacts_app.core.counted import counted
from contacts_app.core.errors import TransportError
from contacts_app.core.lists.among import among
from phones_app.boot.folders import folders_of
from phones_app.deployment.models import DeploymentStep, LastDeployment
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from phones_app.servers.services import ftp_target
from phones_app.shared_files.copies import placed_names
from phones_app.shared_files.models import SharedFile
from phones_app.transports.ftp.session import FtpSession
from profiles_app.phone import sep

# So many missing files are named for many phones together.
NAMED = 5
LOADS = ".loads"
# The embedded server is asked while somebody waits.
ASK_SECONDS = 3.0


class Beside(NamedTuple):
    """A phone's file with what was seen in the folder of its server; `present` None: it could not be listed."""

    mac: str
    facts: Mapping[str, Any]
    server: FileServer
    present: frozenset[str] | None
    phone: Phone | None
    account: int

    @property
    def model(self) -> str:
        return self.phone.model if self.phone else ""


def watched(server: FileServer, phone: Phone | None, mac: str, facts: Mapping[str, Any]) -> frozenset[str]:
    """What to look for in the folder of a server; the embedded one looks in folders of the phone's family as well."""
    model = phone.model if phone else ""
    names = sep.watched(mac, facts, model=model)
    return names.union(*_places(_names_of(facts, model), model).values()) if server.is_embedded else names


def findings_beside(seen: Sequence[Beside]) -> list[list[sep.Finding]]:
    """Of each what to know of the files beside it. Of the embedded server's phones all are looked up together."""
    embedded = [one for one in seen if one.server.is_embedded and one.present is not None]
    given = _given(
        [
            (one.phone.pk if one.phone else None, one.account, one.model, _names_of(one.facts, one.model), one.present)
            for one in embedded
        ]
    )
    shared = {id(one): names for one, names in zip(embedded, given, strict=True)}
    found = []
    for one in seen:
        present = None if one.present is None else one.present | shared.get(id(one), frozenset())
        runs = one.phone.software_version if one.phone else ""
        found.append(sep.beside(one.mac, one.facts, present, model=one.model, runs=runs))
    return found


class Awaited(NamedTuple):
    """A phone with the file that it would get, and the server from which."""

    phone: int
    account: int
    model: str
    server: int
    companions: tuple[sep.Companion, ...]


def awaited(phone: Phone, server: int, facts: Mapping[str, Any]) -> Awaited:
    companions = tuple(sep.companions(facts, model=phone.model, runs=phone.software_version))
    return Awaited(phone.pk, phone.account_id, phone.model, server, companions)


def missing_notes(rows: Iterable[Awaited]) -> list[str]:
    """A sentence for each file that is missing on a server, with the number of phones that will ask for it.

    The embedded server is asked for what lies in its folder. Of others that is known which was brought there, and what
    was missing when a file was uploaded to the same phone last.
    """
    wanting = [row for row in rows if row.companions]
    servers = FileServer.objects.in_bulk({row.server for row in wanting})
    names = {name for row in wanting for companion in row.companions for name in companion.names}
    embedded = next((server for server in servers.values() if server.is_embedded), None)
    at_embedded = [row for row in wanting if embedded and row.server == embedded.pk]
    in_folder = _in_folder(embedded, at_embedded) if embedded else None
    elsewhere = [row for row in wanting if row.server in servers and not servers[row.server].is_embedded]
    found: Counter[tuple[str, str]] = Counter()
    if embedded and in_folder is not None:
        given = _given([(row.phone, row.account, row.model, _names(row.companions), in_folder) for row in at_embedded])
        for row, there in zip(at_embedded, given, strict=True):
            for companion in _missing(row.companions, there):
                found[embedded.name, companion.missing] += 1
    placed = placed_names((servers[row.server] for row in elsewhere), names)
    told = _told_at_upload([row.phone for row in elsewhere])
    for row in elsewhere:
        server = servers[row.server]
        for companion in _missing(row.companions, placed[row.server]):
            if (server.name, companion.missing) in told.get(row.phone, ()):
                found[server.name, companion.missing] += 1
    return _sentences(found)


def _missing(companions: Iterable[sep.Companion], present: Collection[str]) -> list[sep.Companion]:
    return [one for one in companions if not any(name in present for name in one.names)]


def _names(companions: Iterable[sep.Companion]) -> frozenset[str]:
    return frozenset(name for companion in companions for name in companion.names)


def _names_of(facts: Mapping[str, Any], model: str) -> frozenset[str]:
    return _names(sep.companions(facts, model=model))


def _places(names: Iterable[str], model: str) -> dict[str, tuple[str, ...]]:
    """Where the embedded file server looks for each name (boot server spec §6)."""
    folders = folders_of(model)
    return {name: (name, *(f"{folder}/{name}" for folder in folders)) for name in names}


# A phone, its account, its model, the names that it asks for, and what was seen in the embedded server's folder.
_Asking = tuple[int | None, int, str, frozenset[str], frozenset[str] | None]


def _given(asking: Sequence[_Asking]) -> list[frozenset[str]]:
    """Of each the names that the embedded file server has for it: in its folder, shared, or of stored firmware."""
    places = [_places(names, model) for _, _, model, names, _ in asking]
    shared = _shared(asking, [frozenset[str]().union(*paths.values()) for paths in places])
    loads = {name.removesuffix(LOADS) for _, _, _, names, _ in asking for name in names if name.endswith(LOADS)}
    rows = Firmware.objects.filter(load__in=among(sorted(loads))).values_list("account", "load", "faults")
    complete: dict[tuple[int | None, str], bool] = {}
    if loads:
        complete = {(account, load): not faults for account, load, faults in rows}

    def is_given(name: str, account: int, is_there: bool) -> bool:
        """A list whose files are not all there takes a phone nowhere."""
        load = name.rpartition(".")[0]
        return complete.get((account, load), complete.get((None, load), is_there))

    return [
        frozenset(
            name
            for name, where in paths.items()
            if is_given(name, account, not present.isdisjoint(where) or not (in_folder or present).isdisjoint(where))
        )
        for (_, account, _, _, in_folder), paths, present in zip(asking, places, shared, strict=True)
    ]


def _shared(asking: Sequence[_Asking], paths: Sequence[frozenset[str]]) -> list[frozenset[str]]:
    """Of each those of its paths that are shared files for it, in whatever case; one query for any number of phones."""
    lower = {path.lower() for its_paths in paths for path in its_paths}
    if not lower:
        return [frozenset()] * len(asking)
    accounts = {account for _, account, *_ in asking}
    rows = SharedFile.objects.alias(lower=Lower("path")).filter(lower__in=among(sorted(lower)))
    rows = rows.filter(Q(account=None) | Q(account__in=among(sorted(accounts))))
    of_owner: defaultdict[tuple[int | None, int | None], set[str]] = defaultdict(set)
    for account, phone, path in rows.values_list("account", "phone", "path"):
        of_owner[account, phone].add(path.lower())
    return [
        frozenset(
            path
            for path in its_paths
            if any(
                path.lower() in of_owner.get(owner, ()) for owner in ((None, None), (account, None), (account, phone))
            )
        )
        for (phone, account, *_), its_paths in zip(asking, paths, strict=True)
    ]


def _in_folder(server: FileServer, rows: Iterable[Awaited]) -> frozenset[str] | None:
    try:
        target = replace(ftp_target(server), deadline=ASK_SECONDS, connect_timeout=1.0)
    except TransportError:
        return None
    paths = {path for row in rows for each in _places(_names(row.companions), row.model).values() for path in each}
    with FtpSession(target) as session:
        return session.present(frozenset(paths))


def _told_at_upload(phones: Sequence[int]) -> dict[int, set[tuple[str, str]]]:
    """What the last deployment of each phone found missing: the server's name and the words."""
    if not phones:
        return {}
    last = LastDeployment.objects.filter(phone__in=among(phones)).values("deployment")
    steps = DeploymentStep.objects.filter(deployment__in=last, kind=DeploymentStep.Kind.UPLOAD)
    rows = steps.values_list("deployment__phone", "detail__server", "detail__warnings")
    return {
        phone: {(str(server), str(warning.get("message"))) for warning in warnings or ()}
        for phone, server, warnings in rows
    }


def _sentences(found: "Counter[tuple[str, str]]") -> list[str]:
    told = [
        f"{server}: {missing} ({counted(number, 'phone')})." for (server, missing), number in found.most_common(NAMED)
    ]
    more = len(found) - len(told)
    return [*told, f"{counted(more, 'more file')} {'is' if more == 1 else 'are'} missing."] if more > 0 else told
