"""`manage.py sweep`: find work that is due although no message told a worker so."""

from argparse import ArgumentParser

import structlog
from django.core.management.base import BaseCommand
from django.db import Error as DatabaseError
from django.db import close_old_connections

from contacts_app.core.commands import until_stopped
from contacts_app.core.work.wake import sweep

log = structlog.get_logger(__name__)


class Command(BaseCommand):
    help = "Wake the workers if anything is due. Once, or with --every for ever; several at a time do no harm."
    # They load every page and route, which it does not need.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        text = "Go on, with this pause in between."
        parser.add_argument("--every", type=float, metavar="SECONDS", help=text)

    def handle(self, *, every: float | None, **options: object) -> None:
        if every is None:
            self.stdout.write(f"{sweep()} due")
            return
        with until_stopped() as stopping:
            while not stopping.wait(every):
                try:
                    sweep()
                except DatabaseError as error:
                    # The database may be away for a while; this process is what notices that it is back.
                    log.warning("sweep failed, will try again", reason=str(error))
                    close_old_connections()
