"""The file of a profile without a phone: made for a phone of the first of its models, in no place and no group."""

from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from phones_app.configuration.changes import CONFIGURATIONS
from phones_app.configuration.gather import layers_of
from phones_app.configuration.rendering import render_gathered
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile, SoftwareType
from profiles_app.phone.sources import remake

# What a profile that fits all models is shown for.
SAMPLE = {SoftwareType.SCCP: "7965"}
SAMPLE_ELSE = "8845"
NO_MAC, NO_ACCOUNT = "000000000000", 0


def file_alone(profile: PhoneProfile) -> bytes:
    """Raises Refusal."""
    models = profile.compatible_models or [SAMPLE.get(SoftwareType(profile.software_type or "SIP"), SAMPLE_ELSE)]
    phone = Phone(
        mac=NO_MAC,
        account_id=profile.user.account_id or NO_ACCOUNT,
        model=models[0],
        software_type=profile.software_type,
    )
    return render_gathered(layers_of([phone], profile)[phone.pk]).content


class ProfileFiles(Work):
    """Making the files of profiles anew after something has changed that they are made from."""

    name = "profile-files"
    queue = CONFIGURATIONS
    model = PhoneProfile
    due_field = "render_at"
    batch = 20
    claim_time = timedelta(minutes=2)

    @classmethod
    def due(cls) -> "QuerySet[PhoneProfile]":
        return PhoneProfile.objects.filter(render_at__lte=clock.now())

    def do(self, keys: Sequence[int]) -> None:
        for key in keys:
            with transaction.atomic():
                rows = PhoneProfile.objects.filter(pk__in=among([key])).select_related("user", "template")
                profile = rows.select_for_update(of=("self",)).first()
                if profile is not None:
                    remake(profile)
