"""`manage.py create_enrolment_codes`: activation codes for new phones, printed once and kept nowhere."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from contacts_app.core.commands import Add, ReportingCommand, UsageError, argument, headings, positive
from phones_app.deployment.commands import profile_with
from phones_app.mobility.enrolment import MOST_CODES, make_codes

LONGEST_DAYS = 365


class Command(ReportingCommand):
    help = "Make activation codes for new phones of a profile. Each is good for one phone, and shown once."
    columns = headings("code", "name", "location", expires_at="Expires")

    def arguments(self, add: Add) -> None:
        add("profile", type=argument(UUID), metavar="PROFILE_UUID", help="What the new phones get.")
        add("--count", type=positive(int, at_most=MOST_CODES), default=1, metavar="N")
        add("--days", type=positive(int, at_most=LONGEST_DAYS), default=30, help="How long they are good for.")
        add("--name", default="", help="Of the new phones.")
        add("--location", default="", help="Of the new phones.")

    def handle(
        self, *, profile: UUID, count: int, days: int, name: str, location: str, dry_run: bool, **options: object
    ) -> None:
        row = profile_with(profile)
        if row.user.account is None:
            raise UsageError("The profile belongs to staff, not to an account.")
        expires_at = timezone.now() + timedelta(days=days)
        if dry_run:
            self.say(f"{count} codes would be made for {row.name}.")
            return
        made = make_codes(
            account=row.user.account,
            profile=row,
            name=name,
            location=location,
            count=count,
            expires_at=expires_at,
            actor=self.actor,
        )
        self.report(
            {"code": text, "name": code.name, "location": code.location, "expires_at": code.expires_at}
            for code, text in made
        )
