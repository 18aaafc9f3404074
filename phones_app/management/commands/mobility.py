"""`manage.py mobility`: log people in on phones and out, and say who is logged in where (mobility spec §5.6)."""

from dataclasses import asdict, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction
from django.db.models import Q

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.actor import Actor
from contacts_app.core.commands import Add, ReportingCommand, UsageError, positive
from contacts_app.core.csv.format import Report
from contacts_app.core.csv.importing import import_csv
from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from phones_app.mobility.csv import LoginCsv
from phones_app.mobility.login import log_in, profile_named
from phones_app.mobility.logout import log_out_many, sessions
from phones_app.mobility.models import PRESENT, MobilitySession, Why
from profiles_app.phone.sep.catalogue import colons, parse_mac

LONGEST_HOURS = 168
COLUMNS = {
    "mac": "Phone",
    "person": "Person",
    "profile": "Profile",
    "state": "State",
    "since": "Since",
    "until": "Until",
}
COUNTS = {"created": "Log-ins", "updated": "Changed", "unchanged": "Unchanged"}
ERRORS = {"row": "Row", "column": "Column", "message": "What is wrong"}


class Command(ReportingCommand):
    help = (
        "login MAC PERSON logs a person in on a phone, login --file those of a CSV file on theirs; logout MAC… logs out; "
        "sessions lists who is logged in. Log-in and log-out are deployments: the state says how far they are."
    )
    columns = COLUMNS

    def arguments(self, add: Add) -> None:
        add("verb", choices=("login", "logout", "sessions"))
        add(
            "targets", nargs="*", metavar="MAC [PERSON]", help="Phones in any spelling; a person by email or user name."
        )
        add_account(add, help="Only phones and people of this account.")
        add("--file", type=Path, metavar="FILE.csv", help="login: columns mac, person, profile, until; all or nobody.")
        add("--profile", metavar="NAME", help="login: a device profile, by name or UUID; needed where several fit.")
        hours = positive(float, at_most=LONGEST_HOURS)
        add("--hours", type=hours, metavar="H", help="login: for so long; at the longest as the policy says.")
        add("--person", metavar="NAME", help="logout: all phones of this person.")
        add("--all", action="store_true", dest="everywhere", help="logout: everybody.")
        add("--ended", action="store_true", help="sessions: also those that have ended.")

    def handle(self, *, verb: str, account: int | None, ended: bool, **options: Any) -> None:
        named = account_numbered(account)
        actor = replace(self.actor, account=named)
        if verb == "login":
            self._log_in(actor, **options)
        elif verb == "logout":
            self._log_out(actor, **options)
        else:
            rows = sessions(actor)
            self.report(map(_row, (rows if ended else rows.filter(state__in=PRESENT)).iterator(1000)))

    def _log_in(self, actor: Actor, *, targets: list[str], file: Path | None, dry_run: bool, **options: Any) -> None:
        if file is not None and not targets:
            self._import(actor, file, dry_run)
            return
        if file is not None or len(targets) != 2:
            raise UsageError("Name a phone by its MAC address and a person by email or user name, or a file of them.")
        phone, user = _phone(targets[0], actor), _person(targets[1], actor)
        profile = profile_named(options["profile"] or "", user, phone)
        until = clock.now() + timedelta(hours=options["hours"]) if options["hours"] else None
        with transaction.atomic():
            session = log_in(phone, user, profile=profile, until=until, actor=self.actor)
            self.report([_row(session) | {"dry_run": dry_run}])
            self.undo(dry_run)

    def _import(self, actor: Actor, file: Path, dry_run: bool) -> None:
        try:
            with file.open("rb") as opened:
                report: Report = import_csv(opened, LoginCsv(actor), dry_run=dry_run)
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror}.") from None
        if report.errors:
            self.report(map(asdict, report.errors), ERRORS)
            raise CommandError(f"{report.error_count} errors; nobody was logged in.")
        counts = {"created": report.created, "updated": report.updated, "unchanged": report.unchanged}
        self.report([counts | {"dry_run": dry_run}], COUNTS)

    def _log_out(
        self, actor: Actor, *, targets: list[str], person: str | None, everywhere: bool, dry_run: bool, **_: object
    ) -> None:
        if sum((bool(targets), person is not None, everywhere)) != 1:
            raise UsageError("Name phones by their MAC addresses, or say --person or --all.")
        found = sessions(actor).filter(state__in=PRESENT)
        macs = {_mac(text) for text in targets}
        if macs:
            found = found.filter(mac__in=macs)
        elif person is not None:
            found = found.filter(user=_person(person, actor))
        with transaction.atomic():
            keys = list(found.values_list("pk", flat=True))
            log_out_many(found, why=Why.COMMAND, actor=self.actor)
            rows = sessions(actor).filter(pk__in=keys)
            self.report([_row(session) | {"dry_run": dry_run} for session in rows])
            missing = sorted(macs - {session.mac for session in rows})
            self.undo(dry_run)
        if missing:
            raise CommandError(f"Nobody is logged in on {', '.join(map(colons, missing))}.")


def _mac(text: str) -> str:
    try:
        return parse_mac(text)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _phone(text: str, actor: Actor) -> Phone:
    rows = actor.sees(Phone.objects.select_related("account").defer("web_password"))
    phone = rows.filter(mac=_mac(text)).first()
    if phone is None:
        raise CommandError(f"There is no phone {text}.")
    return phone


def _person(name: str, actor: Actor) -> User:
    user = actor.sees(User.objects.filter(Q(email__iexact=name) | Q(username__iexact=name))).first()
    if user is None:
        raise CommandError(f"There is no person {name}.")
    return user


def _row(session: MobilitySession) -> dict[str, object]:
    return {
        "session": session.uuid,
        "mac": colons(session.mac),
        "person": session.person_name,
        "profile": session.profile_name,
        "state": session.state,
        "note": session.note,
        "since": session.since,
        "until": session.until,
        "why": session.why,
        "ended_at": session.ended_at,
    }
