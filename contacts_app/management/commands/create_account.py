"""`manage.py create_account`: a customer and, with a password, its owner."""

from django.db import transaction

from contacts_app.accounts.services import create_account
from contacts_app.core.commands import NUMBER, Add, ReportingCommand
from contacts_app.people.services import create_owner


class Command(ReportingCommand):
    help = "Make an account; with a password also its owner, who logs in with the account's email."
    columns = {"voip_id": "VoIP id", "uuid": "UUID", "name": "Name", "email": "Email", "owner": "Owner"}

    def arguments(self, add: Add) -> None:
        add("--name", required=True)
        add("--email", required=True)
        add("--voip-id", type=NUMBER, help="Default: the next free number.")
        add("--password", default="", help="Also make the owner, with this password.")

    @transaction.atomic
    def handle(
        self, *, name: str, email: str, voip_id: int | None, password: str, dry_run: bool, **options: object
    ) -> None:
        account = create_account(name=name, email=email, voip_id=voip_id)
        if password:
            create_owner(account, password)
        self.undo(dry_run)
        self.report_row(
            voip_id=account.voip_id,
            uuid=None if dry_run else account.uuid,
            name=account.name,
            email=account.email,
            owner=account.email if password else None,
            dry_run=dry_run,
        )
