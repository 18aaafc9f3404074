"""`manage.py send_message`: put messages into the outbox, from a number or from whom a messaging profile chooses."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError
from django.db import transaction

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.accounts.models import Account
from contacts_app.core.commands import NUMBER, Add, ReportingCommand, UsageError, headings
from contacts_app.core.errors import Refusal
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.sending.models import Message
from profiles_app.messaging.sending.outbox import MOST_MEDIA, MOST_TEXT, Draft, submit
from profiles_app.messaging.services import default_messaging_profile


class Command(ReportingCommand):
    help = "Send a text to one or more recipients. The workers hand the messages to the account's gateway."
    columns = headings("to", "parts", "state", uuid="UUID", sender="From", chosen_because="Because", error="Error")

    def arguments(self, add: Add) -> None:
        add("to", nargs="+", metavar="NUMBER", help="In international form.")
        add_account(add, required=True)
        add("--text", required=True)
        add("--from", type=NUMBER, dest="sender", metavar="NUMBER", help="Default: the profile chooses.")
        add("--profile", type=UUID, metavar="UUID", help="Default: that of the number, or the account's default one.")
        add("--media", action="append", default=[], metavar="URL", help="May be repeated.")

    def handle(
        self,
        *,
        to: list[str],
        account: int,
        text: str,
        sender: int | None,
        profile: UUID | None,
        media: list[str],
        dry_run: bool,
        **options: object,
    ) -> None:
        if not text and not media:
            raise UsageError("A message has a text, or media.")
        if len(text) > MOST_TEXT:
            raise UsageError(f"A message takes {MOST_TEXT} characters; the text has {len(text):,}.")
        if len(media) > MOST_MEDIA:
            raise UsageError(f"A message takes {MOST_MEDIA} media, not {len(media)}.")
        owner = account_numbered(account)
        with transaction.atomic():
            lease = self._number(owner, sender) if sender else None
            chosen = self._profile(owner, profile, lease)
            drafts = [Draft(to=each, text=text, media_urls=media) for each in to]
            taken = submit(owner, drafts, profile=chosen, actor=self.actor, lease=lease)
            self.undo(dry_run)
        self.report(_row(each, one, dry_run) for each, one in zip(to, taken, strict=True))
        if refused := sum(isinstance(one, Refusal) for one in taken):
            raise CommandError(f"{refused} of {len(taken)} messages were refused.")

    @staticmethod
    def _number(account: Account, tn: int) -> NumberLease:
        lease = NumberLease.objects.select_related("messaging_profile").filter(account=account, tn=tn).first()
        if lease is None:
            raise CommandError(f"The account has no number {tn}.")
        return lease

    def _profile(self, account: Account, uuid: UUID | None, lease: NumberLease | None) -> MessagingProfile:
        if uuid is None:
            return lease.messaging_profile if lease else default_messaging_profile(account=account, actor=self.actor)
        profile = MessagingProfile.objects.filter(account=account, uuid=uuid).first()
        if profile is None or (lease and lease.messaging_profile_id != profile.pk):
            raise CommandError("The account has no such messaging profile, or the number has another one.")
        return profile


def _row(to: str, taken: Message | Refusal, dry_run: bool) -> dict[str, Any]:
    if isinstance(taken, Refusal):
        return {"to": to, "state": "refused", "error_code": taken.code, "error": taken.message}
    return {
        "uuid": None if dry_run else taken.uuid,
        "to": taken.recipient,
        "sender": taken.sender,
        "parts": taken.parts,
        "state": taken.state,
        "chosen_because": taken.chosen_because,
        "left_out": taken.left_out,
        "dry_run": dry_run,
    }
