"""Changing many phones at once: what a change would do is told before, and done in batches, each of them whole.

A change has parts, such as columns of the phone or its groups. A phone that one part refuses stays as it is altogether.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import capfirst

from contacts_app.core.errors import Refusal
from contacts_app.core.history.models import named_fields
from contacts_app.core.history.records import update_recorded
from contacts_app.core.lists.among import among
from phones_app.inventory.assignment import check_assignable, objections
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import colons

BATCH = 500
# Refused phones are counted, and so many of each kind named.
NAMED = 20
RELATED = ("account", "current_profile", "file_server", "call_manager")
UNREAD = ("description", "web_password", "file_server__password", "call_manager__password")
NOTHING = "–"


class BulkNews(NamedTuple):
    """What changes at a phone, as people read it."""

    what: str
    before: str
    after: str


class BulkPart(Protocol):
    """One thing that a change does. Each is asked with the phones of one batch."""

    @property
    def notes(self) -> Sequence[str]:
        """What is to be known of what it changes, once all phones were looked at."""

    def refusals(self, phones: Sequence[Phone]) -> Mapping[int, Refusal]:
        """Why it cannot be done, for those of the phones, by their keys, to which it cannot."""

    def news(self, phones: Sequence[Phone]) -> Mapping[int, Sequence[BulkNews]]:
        """What it changes, for those of the phones of which it changes something."""

    def apply(self, phones: Sequence[Phone]) -> None:
        """Do it, within a transaction, to phones that have news."""


@dataclass
class RefusedPhones:
    """Phones that are refused for one reason: how many, and the MAC addresses of the first."""

    code: str
    message: str
    phones: int = 0
    macs: list[str] = field(default_factory=list)

    def add(self, phone: Phone) -> None:
        self.phones += 1
        if self.phones <= NAMED:
            self.macs.append(colons(phone.mac))


@dataclass
class BulkReport:
    """What a change has done, or would do."""

    changed: int = 0
    unchanged: int = 0
    counted: Counter[BulkNews] = field(default_factory=Counter)
    refused_by: dict[str, RefusedPhones] = field(default_factory=dict)

    @property
    def refused(self) -> list[RefusedPhones]:
        return sorted(self.refused_by.values(), key=lambda group: -group.phones)

    @property
    def refused_total(self) -> int:
        return sum(group.phones for group in self.refused_by.values())

    @property
    def kinds(self) -> list[tuple[BulkNews, int]]:
        """What changes from what to what, and of how many phones; the most frequent of each kind first."""
        order = list(dict.fromkeys(news.what for news in self.counted))
        return sorted(self.counted.items(), key=lambda kind: (order.index(kind[0].what), -kind[1]))


def change_phones(
    rows: "QuerySet[Phone]", keys: Sequence[int], parts: Sequence[BulkPart], *, dry_run: bool = False
) -> BulkReport:
    """Change those of `rows`, which the person may change, that have these keys. Each batch is a transaction."""
    report = BulkReport()
    for start in range(0, len(keys), BATCH):
        batch = rows.filter(pk__in=among(keys[start : start + BATCH])).order_by("pk")
        with transaction.atomic():
            phones = list(_locked(batch, dry_run).select_related(*RELATED).defer(*UNREAD))
            _change(phones, parts, report, dry_run)
    return report


def _locked(rows: "QuerySet[Phone]", dry_run: bool) -> "QuerySet[Phone]":
    return rows if dry_run else rows.select_for_update(of=("self",), no_key=True)


def _change(phones: Sequence[Phone], parts: Sequence[BulkPart], report: BulkReport, dry_run: bool) -> None:
    why = {key: refusal for part in reversed(parts) for key, refusal in part.refusals(phones).items()}
    for phone in phones:
        if refusal := why.get(phone.pk):
            report.refused_by.setdefault(refusal.code, RefusedPhones(refusal.code, refusal.message)).add(phone)
    fitting = [phone for phone in phones if phone.pk not in why]
    touched = set[int]()
    for part in parts:
        news = {key: told for key, told in part.news(fitting).items() if told}
        report.counted.update(one for told in news.values() for one in told)
        touched |= news.keys()
        if news and not dry_run:
            part.apply([phone for phone in fitting if phone.pk in news])
    report.changed += len(touched)
    report.unchanged += len(fitting) - len(touched)


MOVED = (
    "A phone with another file server counts as not deployed from then on: its open deployments are cancelled, and its "
    "file on the former server is listed as left there."
)


class Columns:
    """Columns of the phones, by their names, with the value that each of them gets."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self.values, self.moves = values, False
        self.labels = {one.name: capfirst(str(one.verbose_name)) for one in named_fields(Phone, values)}

    def refusals(self, phones: Sequence[Phone]) -> Mapping[int, Refusal]:
        changed = [phone.pk for phone in phones if self._differs(phone, "current_profile")]
        found = objections(changed) if changed else {}
        for phone in phones:
            after = copy(phone)
            for name, value in self.values.items():
                setattr(after, name, value)
            try:
                for name, value in self.values.items():
                    if type(value) in CHECKS and self._differs(phone, name):
                        CHECKS[type(value)](after, value)
            except Refusal as refusal:
                found.setdefault(phone.pk, refusal)
        return found

    def _differs(self, phone: Phone, name: str) -> bool:
        return name in self.values and getattr(phone, name) != self.values[name]

    @property
    def notes(self) -> Sequence[str]:
        return [MOVED] if self.moves else []

    def news(self, phones: Sequence[Phone]) -> Mapping[int, Sequence[BulkNews]]:
        self.moves |= any(self._differs(phone, "file_server") for phone in phones)
        return {
            phone.pk: [self._told(phone, name) for name in self.labels if self._differs(phone, name)]
            for phone in phones
        }

    def _told(self, phone: Phone, name: str) -> BulkNews:
        return BulkNews(self.labels[name], _text(getattr(phone, name)), _text(self.values[name]))

    def apply(self, phones: Sequence[Phone]) -> None:
        rows = Phone.objects.filter(pk__in=among([phone.pk for phone in phones]))
        # History tells what the values were called: without the related rows each would be a query of its own.
        named = rows.select_related(*(name for name in RELATED if name in self.values))
        named = named.defer(*(path for path in UNREAD if path.partition("__")[0] in self.values))
        update_recorded(named, **self.values, updated_at=timezone.now())


def _check_account(phone: Phone, server: FileServer | CallManager) -> None:
    if server.account_id not in (None, phone.account_id):
        raise Refusal("foreign-server", f"{server} and the phone belong to different accounts.")


# What is asked about a phone, as it would be, by what it would get.
CHECKS: Mapping[type, Callable[..., None]] = {
    FileServer: _check_account,
    CallManager: _check_account,
    PhoneProfile: check_assignable,
}
TRUTHS = {True: "yes", False: "no"}


def _text(value: object) -> str:
    return TRUTHS[value] if isinstance(value, bool) else str(value or NOTHING)


class Grouped:
    """Phones put into a group of theirs, or taken out of it."""

    notes: Sequence[str] = ()

    def __init__(self, group: PhoneGroup, *, joins: bool) -> None:
        self.group, self.joins = group, joins

    def refusals(self, phones: Sequence[Phone]) -> Mapping[int, Refusal]:
        why = Refusal("foreign-group", f"The group {self.group} and the phone belong to different accounts.")
        return {phone.pk: why for phone in phones if self.joins and phone.account_id != self.group.account_id}

    def news(self, phones: Sequence[Phone]) -> Mapping[int, Sequence[BulkNews]]:
        keys = [phone.pk for phone in phones]
        there = set(self.group.phones.filter(pk__in=among(keys)).values_list("pk", flat=True)) if keys else set()
        told = (
            BulkNews("Group", NOTHING, str(self.group)) if self.joins else BulkNews("Group", str(self.group), NOTHING)
        )
        return {key: [told] for key in keys if (key in there) is not self.joins}

    def apply(self, phones: Sequence[Phone]) -> None:
        (self.group.phones.add if self.joins else self.group.phones.remove)(*phones)
