"""`manage.py voice_usage`: channels now, money of the day and refusals of outbound voice profiles."""

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, headings
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.usage import use_of, used_today


class Command(ReportingCommand):
    help = "The live use of outbound voice profiles that are in use, or were today (UTC): channels, money, refusals."
    columns = headings(
        *("account", "name", "tech_prefix", "channels", "channel_limit", "spent", "daily_spend_limit", "calls"),
        *("seconds", "refusals"),
    )
    writes = False

    def arguments(self, add: Add) -> None:
        add_account(add, help="Only the profiles of this account.")
        add("--all", action="store_true", dest="every", help="Also those that have not been used today.")

    def handle(self, *, account: int | None, every: bool, **options: object) -> None:
        profiles = OutboundVoiceProfile.objects.select_related("account").order_by("account__voip_id", "name", "pk")
        if owner := account_numbered(account):
            profiles = profiles.filter(account=owner)
        self.report(use.as_row() for use in use_of(list(profiles if every else used_today(profiles))))
