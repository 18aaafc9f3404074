"""`manage.py reset_second_factor`: for the last administrator who has lost both the app and the recovery codes."""

from django.core.management.base import CommandError

from contacts_app.core.commands import Add, ReportingCommand, headings
from contacts_app.people.models import SecondFactor, User
from contacts_app.people.second_factor import take_away


class Command(ReportingCommand):
    help = "Forget a person's second factor. Where their role demands one, they set up a new one at the next log-in."
    columns = headings("email", "reset")

    def arguments(self, add: Add) -> None:
        add("email", help="The address that the person logs in with.")

    def handle(self, *, email: str, dry_run: bool, **options: object) -> None:
        user = User.objects.filter(email__iexact=email).first()
        if user is None or not SecondFactor.objects.filter(user=user).exists():
            raise CommandError(f"{email} has no second factor." if user else f"There is no user {email}.")
        self.report_row(email=user.email, reset=not dry_run and take_away(user), dry_run=dry_run)
