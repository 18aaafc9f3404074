"""`manage.py restart_phones`: have phones read their file again."""

from typing import Any

from contacts_app.core.commands import Add
from phones_app.deployment.commands import DeploymentCommand
from phones_app.deployment.request import restart_many


class Command(DeploymentCommand):
    help = "Restart phones without an upload. A phone in a call is restarted when the call has ended."

    def arguments(self, add: Add) -> None:
        super().arguments(add)
        self.add_macs(add, required=True)

    def handle(self, *, macs: list[str], dry_run: bool, **options: Any) -> None:
        phones, unknown = self.phones(macs)
        asked = restart_many(phones=phones, actor=self.actor, dry_run=dry_run)
        self.conclude(asked, unknown, dry_run=dry_run, **options)
