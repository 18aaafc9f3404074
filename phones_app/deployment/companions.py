"""What phones' files name, against what their file servers hold: warnings before a deployment, and of its upload.

Where it cannot be known whether a file is there, nothing is said of it; and nothing is refused.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from contacts_app.core.errors import TransportError
from contacts_app.core.lists.among import among
from phones_app.deployment.models import DeploymentStep, LastDeployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from phones_app.servers.services import ftp_target
from phones_app.shared_files.given import AskedFor, given_names, placed_names
from phones_app.transports.ftp.session import FtpSession
from profiles_app.phone import sep

# So many missing files are named for many phones together.
NAMED = 5
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


def watched(phone: Phone | None, mac: str, facts: Mapping[str, Any]) -> frozenset[str]:
    return sep.watched(mac, facts, model=phone.model if phone else "")


def findings_beside(seen: Sequence[Beside]) -> list[list[sep.Finding]]:
    """Of each what to know of the files beside it. Of the embedded server's phones all are looked up together."""
    embedded = [one for one in seen if one.server.is_embedded and one.present is not None]
    given = given_names(
        [
            AskedFor(one.phone.pk if one.phone else None, one.account, _names_of(one.facts, one.model))
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
    server: int
    companions: tuple[sep.Companion, ...]


def awaited(phone: Phone, server: int, facts: Mapping[str, Any]) -> Awaited:
    companions = tuple(sep.companions(facts, model=phone.model, runs=phone.software_version))
    return Awaited(phone.pk, phone.account_id, server, companions)


def missing_notes(rows: Iterable[Awaited]) -> list[str]:
    """A sentence for each file that is missing on a server, with the number of phones that will ask for it.

    The embedded server is asked for what lies in its folder. Of others that is known which was brought there, and what
    was missing when a file was uploaded to the same phone last.
    """
    wanting = [row for row in rows if row.companions]
    servers = FileServer.objects.in_bulk({row.server for row in wanting})
    names = {name for row in wanting for companion in row.companions for name in companion.names}
    embedded = next((server for server in servers.values() if server.is_embedded), None)
    in_folder = _in_folder(embedded, names) if embedded else None
    at_embedded = [row for row in wanting if embedded and row.server == embedded.pk]
    elsewhere = [row for row in wanting if row.server in servers and not servers[row.server].is_embedded]
    counted: Counter[tuple[str, str]] = Counter()
    if embedded and in_folder is not None:
        given = given_names([AskedFor(row.phone, row.account, _names(row.companions)) for row in at_embedded])
        for row, shared in zip(at_embedded, given, strict=True):
            for companion in _missing(row.companions, in_folder | shared):
                counted[embedded.name, companion.missing] += 1
    placed = placed_names((servers[row.server] for row in elsewhere), names)
    told = _told_at_upload([row.phone for row in elsewhere])
    for row in elsewhere:
        server = servers[row.server]
        for companion in _missing(row.companions, placed[row.server]):
            if (server.name, companion.missing) in told.get(row.phone, ()):
                counted[server.name, companion.missing] += 1
    return _sentences(counted)


def _missing(companions: Iterable[sep.Companion], present: Collection[str]) -> list[sep.Companion]:
    return [one for one in companions if not any(name in present for name in one.names)]


def _names(companions: Iterable[sep.Companion]) -> frozenset[str]:
    return frozenset(name for companion in companions for name in companion.names)


def _names_of(facts: Mapping[str, Any], model: str) -> frozenset[str]:
    return _names(sep.companions(facts, model=model))


def _in_folder(server: FileServer, names: Collection[str]) -> frozenset[str] | None:
    try:
        target = replace(ftp_target(server), deadline=ASK_SECONDS, connect_timeout=1.0)
    except TransportError:
        return None
    with FtpSession(target) as session:
        return session.present(frozenset(names))


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


def _sentences(counted: "Counter[tuple[str, str]]") -> list[str]:
    told = [
        f"{server}: {missing} ({number} {'phone' if number == 1 else 'phones'})."
        for (server, missing), number in counted.most_common(NAMED)
    ]
    more = len(counted) - len(told)
    return [*told, f"{more} more files are missing."] if more > 0 else told
