"""`manage.py set_pin`: a person's PIN for phones. It is asked for or read from a pipe, and is no argument, which other
people on the machine could read."""

import sys
from getpass import getpass

from django.core.management.base import CommandError

from contacts_app.core.commands import Add, ReportingCommand, headings
from contacts_app.people.models import User
from contacts_app.people.services import change_user


class Command(ReportingCommand):
    help = "Set the PIN with which a person logs in on phones. It is asked for, or read from standard input."
    columns = headings("email", "has_pin", "must_change_pin")

    def arguments(self, add: Add) -> None:
        add("email", help="The address that the person logs in with.")
        add("--clear", action="store_true", help="Take the PIN away.")
        add("--keep", action="store_true", help="The person may keep this PIN; otherwise phones ask for another one.")

    def handle(self, *, email: str, clear: bool, keep: bool, dry_run: bool, **options: object) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None:
            raise CommandError(f"There is no user {email}.")
        pin = "" if clear else _typed()
        if not dry_run:
            user = change_user(user, actor=self.actor, pin=pin, pin_must_change=not keep and bool(pin))
        self.report_row(email=user.email, has_pin=user.has_pin, must_change_pin=user.pin_must_change, dry_run=dry_run)


def _typed() -> str:
    pin = getpass("PIN: ") if sys.stdin.isatty() else sys.stdin.readline()
    if not (pin := pin.strip()):
        raise CommandError("No PIN was given; --clear takes one away.")
    return pin
