from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate

from contacts_app.signals import deleting_accounts


class PhonesConfig(AppConfig):
    name = "phones_app"
    verbose_name = "Phones"

    def ready(self) -> None:
        from contacts_app.core.work.kind import register
        from phones_app.models import PhoneProfile
        from phones_app.services import deployment_event, gates
        from phones_app.services.account_deletion import deployments_under_way
        from phones_app.services.deployment_run import Deployments, UploadBatches
        from phones_app.services.drift import DriftChecks
        from phones_app.services.inventory import StatusChecks
        from phones_app.services.rollout import advance_all
        from phones_app.services.rollout_event import rollouts_of
        from phones_app.services.rollout_gate import closed_by_rollout
        from profiles_app.services.profile_event import tell_of_profiles

        register(Deployments, UploadBatches, StatusChecks, DriftChecks)
        tell_of_profiles(PhoneProfile, "phone-profile")
        deleting_accounts.connect(deployments_under_way)
        gates.register(closed_by_rollout, release=advance_all)
        deployment_event.register(rollouts_of)
        post_migrate.connect(add_default_key_macros, sender=self)


def add_default_key_macros(**_: Any) -> None:
    """A new installation knows the key macros that were found in the field; from then on they are the administrators'."""
    from phones_app.models import KeyMacro
    from phones_app.transports.key_macros import format_steps, load_macros

    if not KeyMacro.objects.exists():
        KeyMacro.objects.bulk_create(
            KeyMacro(
                name=macro.name,
                phone_models=", ".join(macro.models),
                steps=format_steps(macro.steps),
                priority=number * 10,
            )
            for number, macro in enumerate(load_macros(), start=1)
        )
