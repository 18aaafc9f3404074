"""`manage.py emit_event`: write one event, to see who hears of it."""

import json
from uuid import UUID

from django.core.management.base import CommandError
from django.db import transaction

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.accounts.models import Extension
from contacts_app.core.commands import NUMBER, Add, ReportingCommand, argument, headings
from profiles_app.events.listener_changes import checked_tags
from profiles_app.events.models.outbox import Event
from profiles_app.events.outbox import emit
from profiles_app.events.tags import TAGS

LONGEST_TYPE = Event._meta.get_field("data_type").max_length or 0


def json_object(text: str) -> dict[str, object]:
    try:
        value = json.loads(text, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("this JSON is nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("this is JSON, but not an object")
    return value


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def data_type(text: str) -> str:
    if not 0 < len(text) <= LONGEST_TYPE:
        raise ValueError(f"1 to {LONGEST_TYPE} characters")
    return text


class Command(ReportingCommand):
    help = "Write an event of an account into the outbox. Its listeners are told by the workers."
    columns = headings(uuid="UUID", account="Account", extension="Extension", tags="Tags", data_type="Type")

    def arguments(self, add: Add) -> None:
        number = NUMBER
        add("tags", nargs="+", choices=TAGS, metavar="TAG", help="See docs/events.md.")
        add_account(add, required=True)
        add("--extension", type=number, metavar="N")
        add("--type", type=argument(data_type), dest="data_type", help="Default: the first tag.")
        add("--data", type=argument(json_object), default={}, metavar="JSON", help="An object.")
        add("--object", type=UUID, metavar="UUID", help="What it is about.")

    @transaction.atomic
    def handle(
        self,
        *,
        tags: list[str],
        account: int,
        extension: int | None,
        data_type: str | None,
        data: dict[str, object],
        object: UUID | None,
        dry_run: bool,
        **options: object,
    ) -> None:
        owner = account_numbered(account)
        place = Extension.objects.filter(account=owner, number=extension).first() if extension else None
        if extension and place is None:
            raise CommandError(f"The account has no extension {extension}.")
        event = emit(
            account=owner,
            extension=place,
            tags=checked_tags(tags, at_extension=place is not None),
            data_type=data_type or tags[0],
            data=data,
            data_object_uuid=object,
        )
        self.undo(dry_run)
        self.report_row(
            uuid=None if dry_run else event.uuid,
            account=owner.voip_id,
            extension=extension,
            tags=event.tags,
            data_type=event.data_type,
            dry_run=dry_run,
        )
