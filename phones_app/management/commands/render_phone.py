"""`manage.py render_phone`: the file of a phone as it would be made now, or where each of its values comes from."""

import sys
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from contacts_app.core.commands import Add, ReportingCommand, argument
from phones_app.configuration.explained import explained
from phones_app.configuration.rendering import revisions_for
from phones_app.deployment.commands import profile_with
from phones_app.inventory.models import Phone
from profiles_app.phone import sep


class Command(ReportingCommand):
    help = "Write the file of a phone to the standard output, byte for byte and with its passwords, and nothing else."
    writes = says_where = False
    columns = {"name": "Setting", "value": "Value", "layer": "From", "hides": "Hides", "locked_by": "Locked by"}

    def arguments(self, add: Add) -> None:
        add("mac", type=argument(sep.parse_mac), metavar="MAC", help="In any spelling.")
        add("--profile", type=argument(UUID), metavar="UUID", help="With this profile instead of the phone's own.")
        add("--explain", action="store_true", help="Each value and its layer instead of the file; secrets are masked.")

    def handle(self, *, mac: str, profile: UUID | None, explain: bool, **options: Any) -> None:
        phone = Phone.objects.filter(mac=mac).first()
        if phone is None:
            raise CommandError("There is no phone with this MAC address.")
        chosen = profile_with(profile) if profile else None
        if explain:
            told = explained(phone, reveal=False, profile=chosen)
            if told["error"]:
                self.stderr.write(str(told["error"]))
            self.report(told["values"])  # type: ignore[arg-type]
            return
        outcome = revisions_for([phone], chosen, store=False)[phone.pk]
        if isinstance(outcome, Exception):
            raise outcome
        if self.as_json:
            name = sep.file_name(phone.mac, sep.format_of_content(phone.model, outcome.content))
            file = {"file_name": name, "sha256": outcome.sha256, "remarks": outcome.remarks}
            self.report_row(**file, cnf_xml=sep.decode(outcome.content))
            return
        self.stdout.flush()
        out = getattr(self.stdout, "buffer", sys.stdout.buffer)
        out.write(outcome.content)
        out.flush()
