"""Messaging profiles as CSV. Their webhooks, which may hold secrets, come out only where an operator asks for secrets."""

from collections.abc import Sequence

from django.db.models import QuerySet

from contacts_app.accounts.services import AccountColumn
from contacts_app.core.csv.columns import Column, FieldColumn, SecretColumn
from contacts_app.core.csv.format import ServiceCsv
from profiles_app.messaging.models import WEBHOOKS, MessagingProfile
from profiles_app.messaging.services import save_messaging_profile

PLAIN = (
    *("name", "number_pool_enable", "long_code_weight", "tollfree_weight"),
    *("skip_unhealthy_tns", "sticky_sender"),
)


class MessagingProfileCsv(ServiceCsv):
    kind, thing = "messaging-profiles", "messaging profile"
    model = MessagingProfile
    keys = (("account", "name"), ("name",))

    def make_columns(self) -> Sequence[Column]:
        plain = (FieldColumn(MessagingProfile, name) for name in PLAIN)
        secret = (SecretColumn(MessagingProfile, name) for name in WEBHOOKS)
        return [AccountColumn(self.actor), *plain, *secret]

    def rows(self) -> "QuerySet[MessagingProfile]":
        return self.actor.sees(MessagingProfile.objects.all())

    def save(self, row: MessagingProfile, changed: set[str] | None) -> None:
        save_messaging_profile(row, actor=self.actor, changed=changed)
