"""`manage.py replace_phone`: let another handset take a phone's place, or be told what that would do."""

from uuid import UUID

from django.core.management.base import CommandError

from contacts_app.core.commands import Add, ReportingCommand, argument, headings
from phones_app.deployment.commands import profile_with
from phones_app.inventory.models import Phone
from phones_app.mobility.replacement import Handset, preview, replace_handset
from profiles_app.phone.sep.catalogue import parse_mac


class Command(ReportingCommand):
    help = "Replace a phone's handset: settings, profile, groups and history stay, the old file is deleted."
    columns = headings("mac", "model", "profile", "lacks", "warnings", "refused", "deployment")

    def arguments(self, add: Add) -> None:
        add("mac", type=argument(parse_mac), help="Of the phone as it is, in any spelling.")
        add("new_mac", type=argument(parse_mac), help="Of the new handset.")
        add("--model", default="", help="Of the new handset; left out: the same.")
        add("--profile", type=argument(UUID), metavar="UUID", help="Left out: the present one.")

    def handle(
        self, *, mac: str, new_mac: str, model: str, profile: UUID | None, dry_run: bool, **options: object
    ) -> None:
        phone = Phone.objects.filter(mac=mac).select_related("account", "current_profile__revision").first()
        if phone is None:
            raise CommandError("There is no phone with this MAC address.")
        handset, chosen = Handset(new_mac, model), profile_with(profile) if profile else None
        if dry_run:
            done = preview(phone, handset, chosen)
        else:
            done = replace_handset(phone, handset, actor=self.actor, profile=chosen)
        self.report_row(**done.as_dict(), dry_run=dry_run)
        if done.refusal is not None:
            raise CommandError(done.refusal.message)
