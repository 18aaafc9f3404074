"""`manage.py rollout`: start, watch, pause, resume, cancel and repeat rollouts."""

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime, time
from pathlib import Path
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.utils import timezone

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, UsageError, argument, headings, positive
from phones_app.deployment.commands import profile_with
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.inventory.services import Selection, phones_by_mac, phones_of_group, read_macs
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.commands import follow, told, wait_for_plan
from phones_app.rollout.models import MOST, WEEK, Rollout
from phones_app.rollout.plan import RolloutPlan, make_plan
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.sep.catalogue import parse_mac

COLUMNS = {
    **headings("rollout", "state", total="Phones"),
    **headings("confirmed", "unconfirmed", "failed", "unchanged", refused_total="Refused", reason="Reason"),
}
PLAN_COLUMNS = headings(
    total="Would get a file", unchanged="Have it already", refused_total="Refused", waves="Waves", canary="First wave"
)
PACE = (
    *("name", "load", "ends_at", "canary_size", "wave_size", "server_limit", "site_limit"),
    *("wave_pause", "wave_jitter", "unconfirmed_fails"),
)
REASONS = {"phones": "Phones", "code": "Code", "message": "Reason"}
# What can be done to a rollout that is there: `rollout pause UUID`.
CHANGES: dict[str, Callable[[Rollout], None]] = {
    "pause": rollouts.pause,
    "resume": rollouts.resume,
    "cancel": rollouts.cancel,
}
AGAIN: dict[str, Callable[..., Rollout]] = {"retry-failed": rollouts.retry_failed, "continue": rollouts.continue_rest}


def share_or_count(text: str) -> dict[str, int]:
    """`5` phones or `5%` of the phones in the opened waves."""
    number, percent, rest = text.partition("%")
    if not number.isdecimal() or rest or not 1 <= int(number) <= (100 if percent else MOST):
        raise ValueError(f"“{text}” is neither a number of phones nor a share such as 10%")
    return {"abort_percent" if percent else "abort_count": int(number)}


def window(text: str) -> dict[str, time]:
    try:
        start, end = (time.fromisoformat(part) for part in text.split("-"))
    except ValueError:
        raise ValueError(f"“{text}” is not a window such as 22:00-05:30") from None
    return {"window_start": start, "window_end": end}


def moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"“{text}” is not a time such as 2026-12-24T18:00") from None
    return found if found.tzinfo else timezone.make_aware(found)


class Command(ReportingCommand):
    help = (
        "Roll a profile out, or with --assigned each phone's own, in waves; or watch, pause, resume, cancel or repeat a "
        "rollout. Status 1 when a phone was refused or, with --watch, was not confirmed."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "targets",
            nargs="*",
            metavar="PROFILE_UUID MAC…",
            help="The profile (not with --assigned), then phones; or pause, resume, cancel, retry-failed or continue, "
            "and a rollout.",
        )
        add = parser.add_argument_group("which phones, instead of MAC addresses").add_argument
        add("--assigned", action="store_true", help="Each phone gets the profile that it has.")
        add("--file", type=Path, metavar="CSV", help="The first column, or the one headed “mac”.")
        add("--group", metavar="NAME", help="A saved group of phones.")
        add("--all", action="store_true", dest="everywhere", help="Every phone of the account.")
        add_account(add, help="Only phones of this account.")
        add("--load", default="", help="Bring the phones to this firmware, each with the profile that it has.")
        add(
            "--until",
            dest="ends_at",
            type=argument(moment),
            metavar="TIME",
            help="Wait for phones that are away until then.",
        )
        add("--include-unchanged", action="store_true", help="Also phones that have this very file.")
        _add_pace(parser.add_argument_group("how fast and how far").add_argument)
        parser.add_argument(
            "--watch",
            nargs="?",
            const=True,
            metavar="UUID",
            help="Show the progress until the end, of the rollout named or the one started; works without a worker too.",
        )

    def handle(self, *, targets: list[str], dry_run: bool, watch: bool | str | None, **options: object) -> None:
        verb = targets[0] if targets else ""
        if verb in CHANGES:
            rollout = _named(targets[1:])
            CHANGES[verb](rollout)
            self._tell(rollout)
            return
        there = isinstance(watch, str)
        if verb in AGAIN:
            rollout = AGAIN[verb](_named(targets[1:]), actor=self.actor)
        elif there:
            rollout = _named([str(watch), *targets])
        else:
            started = self._start(targets, dry_run, options)
            if started is None:
                return
            rollout = started
        if not there:
            wait_for_plan(rollout)
        if watch:
            with self.progress(rollout.total) as show:
                follow(rollout, show)
        self._tell(rollout)
        _check_went_well(rollout, named=not (there or options["everywhere"]), waited=bool(watch))

    def _start(self, targets: list[str], dry_run: bool, options: dict[str, Any]) -> Rollout | None:
        own = options["assigned"] or options["load"]
        profile, rest = (None, targets) if own else _profile(targets)
        pace = Rollout(
            **{name: options[name] for name in PACE}, **(options["abort"] or {}), **(options["window"] or {})
        )
        what: dict[str, Any] = {
            "selection": _selection(rest, profile, options),
            "profile": profile,
            "pace": pace,
            "include_unchanged": options["include_unchanged"],
        }
        if not dry_run:
            return rollouts.start(**what, actor=self.actor)
        plan = make_plan(**what)
        self._tell_plan(plan)
        if plan.refused and not options["everywhere"]:
            raise CommandError(f"{plan.refused_total} of {plan.looked_at} phones would be refused.")
        return None

    def _tell(self, rollout: Rollout) -> None:
        row = told(rollout)
        self.report([row], COLUMNS)
        if not self.as_json:
            self._tell_reasons("Failed", row["failures"])
            self._tell_reasons("Refused", row["refused"])

    def _tell_plan(self, plan: RolloutPlan) -> None:
        waves = [len(wave) for wave in plan.waves]
        row: dict[str, Any] = {
            "dry_run": True,
            "total": plan.total,
            "unchanged": plan.unchanged,
            "refused_total": plan.refused_total,
            "refused": plan.refused,
            "waves": waves,
            "ways": dict(plan.ways),
            "notes": plan.notes,
        }
        if self.as_json:
            self.report([row])
            return
        self.report([row | {"waves": len(waves), "canary": waves[0] if waves else 0}], PLAN_COLUMNS)
        self._tell_reasons("Refused", plan.refused)
        for way, number in plan.ways:
            self.say(f"{number} × {way}")
        for note in plan.notes:
            self.say(note)

    def _tell_reasons(self, title: str, groups: list[dict[str, Any]]) -> None:
        if groups:
            self.say(f"{title}:")
            self.report(groups, REASONS)


def _add_pace(add: Add) -> None:
    add("--name", default="", help="For people.")
    number: dict[str, Any] = {"type": positive(int, at_most=MOST), "metavar": "N"}
    canary = positive(int, at_most=MOST, or_zero=True)
    add("--canary", dest="canary_size", default=0, type=canary, metavar="N", help="Phones in the first wave; 0: none.")
    add("--wave", dest="wave_size", help="Phones in each further wave.", **number)
    add("--parallel", dest="server_limit", help="At once per file server.", **number)
    add("--parallel-per-site", dest="site_limit", help="At once per location.", **number)
    seconds: dict[str, Any] = {"type": positive(int, at_most=WEEK, or_zero=True), "metavar": "S", "default": 0}
    add("--pause", dest="wave_pause", help="Seconds between waves.", **seconds)
    add("--jitter", dest="wave_jitter", help="Up to so many seconds more, by chance.", **seconds)
    add(
        "--window",
        type=argument(window),
        metavar="HH:MM-HH:MM",
        help="Begin with phones only in this time of day, in the account's time zone.",
    )
    add(
        "--abort-after",
        type=argument(share_or_count),
        dest="abort",
        metavar="N|P%",
        help="End it when so many phones failed.",
    )
    add(
        "--tolerate-unconfirmed",
        action="store_false",
        dest="unconfirmed_fails",
        help="Phones of which nothing was seen after the restart do not count as failed.",
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise UsageError(f"“{text}” is not a UUID.") from None


def _named(uuids: list[str]) -> Rollout:
    if len(uuids) != 1:
        raise UsageError("Name one rollout by its UUID.")
    rollout = Rollout.objects.select_related("account", "profile").filter(uuid=_uuid(uuids[0])).first()
    if rollout is None:
        raise CommandError(f"There is no rollout {uuids[0]}.")
    return rollout


def _profile(targets: list[str]) -> tuple[PhoneProfile, list[str]]:
    if not targets:
        raise UsageError("Name a profile by its UUID, or say --assigned.")
    return profile_with(_uuid(targets[0])), targets[1:]


def _selection(macs: list[str], profile: PhoneProfile | None, options: dict[str, Any]) -> Selection:
    ways = [bool(macs), options["file"] is not None, options["group"] is not None, options["everywhere"]]
    if sum(ways) != 1:
        raise UsageError("Name phones by their MAC addresses or by one of --file, --group and --all.")
    account = account_numbered(options["account"])
    rows = account.phones.all() if account else Phone.objects.all()
    if macs:
        try:
            return phones_by_mac(rows, map(parse_mac, macs))
        except ValueError as error:
            raise UsageError(str(error)) from None
    if options["file"] is not None:
        try:
            return phones_by_mac(rows, read_macs(options["file"].read_text(encoding="utf-8-sig")))
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{options['file']} cannot be read: {error}") from None
    if options["group"] is not None:
        groups = PhoneGroup.objects.filter(name=options["group"], **({"account": account} if account else {}))
        if len(found := list(groups[:2])) != 1:
            problem = "Several groups have this name; say --account." if found else "There is no such group."
            raise CommandError(problem)
        return phones_of_group(rows, found[0])
    owner = profile.user.account if profile else None
    if owner is None and account is None and profile is not None:
        raise UsageError("The profile belongs to staff, not to an account: say --account.")
    return Selection(owner.phones.all() if owner and account is None else rows)


def _check_went_well(rollout: Rollout, *, named: bool, waited: bool) -> None:
    row = told(rollout)
    problems = []
    if waited and row["confirmed"] != rollout.total:
        problems.append(f"{rollout.total - row['confirmed']} of {rollout.total} phones are not confirmed")
    if named and rollout.refused_total:
        problems.append(f"{rollout.refused_total} phones were refused")
    if problems:
        raise CommandError(f"{'; '.join(problems)}.")
