"""`manage.py deploy_profile`: put a profile on phones, restart them, and say whether it worked."""

from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from contacts_app.core.commands import Add, UsageError, argument
from contacts_app.core.errors import Refusal
from phones_app.deployment.commands import DeploymentCommand, profile_with
from phones_app.deployment.request import Deployed, deploy_many
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile, is_made

MISFITS = ("phone-inactive", "another-account", "model-mismatch", "software-mismatch")


class Command(DeploymentCommand):
    help = "Deploy the latest revision of a profile to phones."

    def arguments(self, add: Add) -> None:
        super().arguments(add)
        add("profile", type=argument(UUID), metavar="PROFILE_UUID")
        self.add_macs(add, required=False)
        add("--all", action="store_true", dest="everywhere", help="Every phone of the owner's account that it fits.")

    def handle(self, *, profile: UUID, macs: list[str], everywhere: bool, dry_run: bool, **options: Any) -> None:
        if everywhere == bool(macs):
            raise UsageError("Name phones by their MAC addresses, or say --all.")
        row = profile_with(profile)
        phones, unknown = self._fitting(row) if everywhere else self.phones(macs)
        asked = deploy_many(phones=phones, profile=row, actor=self.actor, dry_run=dry_run)
        if everywhere:
            self._pass_over(asked, row)
        self.conclude(asked, unknown, dry_run=dry_run, **options)

    def _fitting(self, profile: PhoneProfile) -> tuple[list[Phone], list[Any]]:
        account = profile.user.account
        if account is None:
            raise UsageError("The profile belongs to staff, not to an account: name the phones.")
        return list(account.phones.select_related("account", "file_server", "call_manager")), []

    def _pass_over(self, asked: Deployed, profile: PhoneProfile) -> None:
        """With --all, phones that the profile does not fit are no failure, unless it fits none."""
        others = [(phone, why) for phone, why in asked.refused if not _is_misfit(why, profile)]
        number = len(asked.refused) - len(others)
        if not asked.deployments and not others:
            raise CommandError(f"The profile fits none of the phones of the account ({number}).")
        if number:
            self.say(f"Phones that the profile does not fit were skipped ({number}).")
        asked.refused[:] = others


def _is_misfit(why: Refusal, profile: PhoneProfile) -> bool:
    """Whether a phone is none that the profile is for; else what is wrong is told, as that there is no file server."""
    # A file that is written was checked when it was stored: for the phone alone it is the wrong one.
    return why.code in MISFITS or (why.code == "profile-has-errors" and not is_made(profile))
