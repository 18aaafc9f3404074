"""What is known of a phone that was sent to a load: what it fetched of it, what it reports, and what that means.

That it runs the load says the phone alone, on its status page or by its registration (`registrations`). What it fetched
explains why it does not.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from phones_app.boot.models import RequestedFile
from phones_app.deployment.evidence import fetches_are_seen
from phones_app.deployment.models import Deployment
from phones_app.firmware.services import load_of
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Sequel
from phones_app.upgrades.models import Upgrade
from profiles_app.phone import sep

# So many names of files are told.
NAMED = 3


@dataclass(frozen=True)
class FetchedLoad:
    """What the phone was seen to fetch of a load since its file named it.

    `parts` are what phones of each hardware that the load knows must fetch of it: which of them this one is, nobody says.
    """

    parts: tuple[frozenset[str], ...] = (frozenset(),)
    began: datetime | None = None
    last: datetime | None = None
    fetched: frozenset[str] = frozenset()
    in_vain: tuple[str, ...] = ()

    @property
    def part(self) -> frozenset[str]:
        """What the phone must fetch: the part of which it has fetched most, of those alike the smallest."""
        return max(self.parts, key=lambda part: (len(part & self.fetched), -len(part)))

    @property
    def is_whole(self) -> bool:
        return self.began is not None and self.part <= self.fetched

    def as_dict(self) -> dict[str, object]:
        return {
            "loads_at": self.began.isoformat() if self.began else None,
            "fetched": len(self.part & self.fetched),
            "files": len(self.part),
            "in_vain": list(self.in_vain),
        }


def fetched_of(upgrade: Upgrade, since: datetime) -> FetchedLoad:
    """By the phone, of the load that it gets now. Where two phones share an address nothing is known."""
    loads = {name.lower() for name in sep.catalogue.files_of_load(upgrade.load)}
    components = _components(upgrade)
    names = frozenset(name for name, _, _ in components)
    rows = RequestedFile.objects.filter(mac=upgrade.mac, last_at__gte=since).only("name", "is_missing", "last_at")
    by_name = {row.name.rpartition("/")[2].lower(): row for row in rows}
    begun = [by_name[name].last_at for name in loads if name in by_name and not by_name[name].is_missing]
    of_load = [row for name, row in by_name.items() if name in loads | names]
    return FetchedLoad(
        parts=_parts(components),
        began=max(begun, default=None),
        last=max((row.last_at for row in of_load), default=None),
        fetched=frozenset(name for name in names if name in by_name and not by_name[name].is_missing),
        in_vain=tuple(sorted(row.name for name, row in by_name.items() if name in names and row.is_missing)),
    )


# A file of a load in lower case, the hardware that fetches it ("": all), and whether a condition stands before it.
_Listed = tuple[str, str, bool]


def _components(upgrade: Upgrade) -> Sequence[_Listed]:
    row = load_of(upgrade.load, upgrade.account_id)
    return [
        (str(each["name"]).lower(), str(each.get("platform") or ""), bool(each.get("condition")))
        for each in (row.components if row else ())
    ]


def _parts(components: Sequence[_Listed]) -> tuple[frozenset[str], ...]:
    """A phone fetches what stands in no section and in its own; a condition it may not meet (boot server spec §2.2)."""
    platforms = dict.fromkeys(platform for _, platform, _ in components if platform) or {"": None}
    return tuple(
        frozenset(name for name, of, is_conditional in components if of in ("", platform) and not is_conditional)
        for platform in platforms
    )


def has_reported(upgrade: Upgrade, phone: Phone, since: datetime) -> bool:
    """Whether the phone has said since then that it runs the load that it gets now."""
    is_news = phone.last_seen_at is not None and phone.last_seen_at > since
    return is_news and phone.software_version.lower() == upgrade.load.lower()


def is_read(phone: Phone, deployment: Deployment) -> bool:
    """Whether the phone's status page was read after the file was uploaded."""
    since = deployment.uploaded_at or deployment.created_at
    return phone.looked_at is not None and phone.looked_at > since and not phone.look_error


@dataclass(frozen=True)
class UpgradeFault:
    code: str
    text: str


def fault_of(upgrade: Upgrade, phone: Phone, deployment: Deployment, found: FetchedLoad) -> UpgradeFault:
    """Why the phone has not come to its load, as far as it is known, when its time is over."""
    load, since = upgrade.load, found.last or deployment.finished_at
    is_back = phone.looked_at is not None and since is not None and phone.looked_at > since and not phone.look_error
    runs = f" It runs {phone.software_version or 'an unknown load'}." if is_back else " It has not been seen since."
    if found.in_vain:
        names = ", ".join(found.in_vain[:NAMED])
        return UpgradeFault(
            "load-files-missing", f"The phone asked for {names} of {load}, and there was no such file.{runs}"
        )
    if found.began is None:
        if not fetches_are_seen(deployment):
            return UpgradeFault(
                "load-not-reported", f"The phone took its file, and does not say that it runs {load}.{runs}"
            )
        return UpgradeFault("load-not-fetched", f"The phone took its file, and did not ask for {load}.{runs}")
    if not found.is_whole:
        of = f"{len(found.part & found.fetched)} of the {len(found.part)} files that it needs of it"
        return UpgradeFault("load-not-whole", f"The phone fetched the list of {load}: {of}.{runs}")
    if is_back:
        return UpgradeFault("load-rejected", f"The phone fetched {load} whole, and came back with another.{runs}")
    return UpgradeFault("load-not-reported", f"The phone fetched {load} whole, and has not said what it runs since.")


# How a phone stands, as people read it.
STANDS = {Sequel.AWAY: "waits for the phone", Sequel.REACHED: "runs it", Sequel.FAILED: "failed"}


def stands(upgrade: Upgrade) -> str:
    """How far the phone is, in a few words."""
    member = upgrade.member
    if said := STANDS.get(Sequel(member.sequel)):
        return said
    deployment = member.deployment
    if member.sequel == Sequel.PENDING and deployment.finished_at is not None:
        step = upgrade.steps[-1] if upgrade.steps else {}
        return f"loads {upgrade.load}" if step.get("loads_at") else f"has its file, {upgrade.load} is awaited"
    return deployment.get_state_display().lower()
