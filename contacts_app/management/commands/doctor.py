"""`manage.py doctor`: what is not in order, and what to do."""

from django.conf import settings
from django.core.management.base import CommandError

from contacts_app.core.commands import ReportingCommand
from contacts_app.core.doctor.checks import check_names, diagnose


class Command(ReportingCommand):
    help = (
        "Look at everything that the portal needs: database, schema, broker, sweep, clock, disk, keys, settings, "
        "networks, file servers and call managers. Changes nothing. Status 1 when something is not in order."
    )
    columns = {"check": "Check", "message": "What is not in order", "advice": "What to do"}
    writes = False

    def handle(self, **options: object) -> None:
        found = list(diagnose())
        if not found:
            self.say(f"In order: {', '.join(check_names())} (data folder {settings.DATA_DIR}).")
            return
        self.report(found)
        raise CommandError(f"{len(found)} not in order (data folder {settings.DATA_DIR}).")
