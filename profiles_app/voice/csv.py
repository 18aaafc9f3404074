"""Outbound voice profiles as CSV."""

from collections.abc import Collection, Mapping, Sequence

from django.core.exceptions import ValidationError
from django.db.models import QuerySet

from contacts_app.accounts.models import Account
from contacts_app.accounts.services import AccountColumn
from contacts_app.core.csv.columns import UNSAID, Column, FieldColumn
from contacts_app.core.csv.format import Identity, Key, ServiceCsv
from profiles_app.messaging.models import NumberLease
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.rate_csv import OwnTableColumn
from profiles_app.voice.services import save_outbound_voice_profile

PLAIN = (
    *("name", "is_active", "channel_limit", "max_rate", "daily_spend_limit"),
    *("record_calls", "file_format", "audio_track_type", "product", "media"),
)


class PrefixColumn(FieldColumn):
    """Empty in new rows: a free one."""

    empty_says_nothing = True

    def of_new(self, values: Mapping[str, object]) -> object:
        return UNSAID


class CallerColumn(Column):
    """The number that calls show, one of the account."""

    related = ("tn_lease",)

    def __init__(self) -> None:
        super().__init__("caller_number", "tn_lease", note="Number of the account that calls show; empty: none.")

    def write(self, row: OutboundVoiceProfile) -> str:
        return str(row.tn_lease.tn) if row.tn_lease else ""

    def read(self, cell: str, values: Mapping[str, object]) -> NumberLease | None:
        account = values.get("account")
        if not cell or not isinstance(account, Account):
            return None
        number = int(cell) if cell.isascii() and cell.isdecimal() and len(cell) < 16 else 0
        found = NumberLease.objects.filter(account=account, tn=number).first()
        if found is None:
            raise ValidationError("The account has no such number.")
        return found


class OutboundVoiceProfileCsv(ServiceCsv):
    kind, thing = "outbound-voice-profiles", "outbound voice profile"
    model = OutboundVoiceProfile
    keys = (("tech_prefix",), ("account", "name"), ("name",))

    def make_columns(self) -> Sequence[Column]:
        plain = (FieldColumn(OutboundVoiceProfile, name) for name in PLAIN)
        # Customers see no rates, nor which of the operator's tables they go by.
        prices = [OwnTableColumn()] if self.actor.account is None else []
        named = PrefixColumn(OutboundVoiceProfile, "tech_prefix")
        return [AccountColumn(self.actor), named, *plain, CallerColumn(), *prices]

    def rows(self) -> "QuerySet[OutboundVoiceProfile]":
        return self.actor.sees(OutboundVoiceProfile.objects.all())

    def taken_by_others(self, key: Key, identities: Collection[Identity]) -> set[Identity]:
        if key != ("tech_prefix",):
            return set()
        prefixes = [str(prefix) for (prefix,) in identities]
        return set(OutboundVoiceProfile.objects.filter(tech_prefix__in=prefixes).order_by().values_list("tech_prefix"))

    def save(self, row: OutboundVoiceProfile, changed: set[str] | None) -> None:
        save_outbound_voice_profile(row, actor=self.actor, changed=changed)
