"""`manage.py create_token`: an API token, whose text is printed once and kept nowhere."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.accounts.services import ensure_extension
from contacts_app.core.commands import NUMBER, ReportingCommand, UsageError, argument, headings, positive
from contacts_app.tokens.models import parse_networks
from contacts_app.tokens.services import create_token

LONGEST_LIFE_DAYS = 36_500
# What is good for every account ends, whether it is said when or not.
STAFF_LIFE_DAYS = 90.0


def networks(text: str) -> str:
    parse_networks(text)
    return text


class Command(ReportingCommand):
    help = "Make an API token of an account, of one extension of it, or of staff. The token is shown once."
    columns = headings("key_id", "scope", "account", "extension", "read_only", expires_at="Expires")

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        owner = parser.add_mutually_exclusive_group(required=True)
        add_account(owner.add_argument)
        owner.add_argument(
            "--staff", action="store_true", help=f"Every account; it ends after {STAFF_LIFE_DAYS:g} days unless said."
        )
        parser.add_argument("--extension", type=NUMBER, metavar="N", help="Made if the account lacks it.")
        parser.add_argument("--read-only", action="store_true")
        parser.add_argument("--expires-in", type=positive(float, at_most=LONGEST_LIFE_DAYS), metavar="DAYS")
        parser.add_argument("--name", default="", help="What uses this token.")
        parser.add_argument(
            "--networks", type=argument(networks), default="", help="Comma-separated networks that may use it."
        )

    @transaction.atomic
    def handle(
        self, *, account: int | None, staff: bool, extension: int | None, expires_in: float | None, **options: Any
    ) -> None:
        if staff and extension:
            raise UsageError("--extension belongs to --account, not to --staff.")
        owner = account_numbered(account)
        if staff and expires_in is None:
            expires_in = STAFF_LIFE_DAYS
        token, text = create_token(
            account=owner,
            extension=ensure_extension(account=owner, number=extension) if owner and extension else None,
            name=options["name"],
            read_only=options["read_only"],
            expires_at=timezone.now() + timedelta(days=expires_in) if expires_in else None,
            networks=options["networks"],
        )
        dry_run = options["dry_run"]
        self.undo(dry_run)
        self.report_secret(
            "token",
            None if dry_run else text,
            key_id=None if dry_run else token.key_id,
            scope=token.scope,
            name=token.name,
            account=account,
            extension=extension,
            read_only=token.read_only,
            networks=token.networks,
            expires_at=token.expires_at,
            dry_run=dry_run,
        )
