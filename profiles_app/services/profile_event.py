"""Events about profiles of every kind: made, changed and deleted, told from their history, wherever that was done."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model
from django.db.models.signals import post_delete

from contacts_app.models import Account
from contacts_app.signals import recorded
from profiles_app.services.event import emit

TAGS = {"+": "created-profile", "~": "changed-profile", "-": "deleted-profile"}


def tell_of_profiles(model: type[Model], tag: str) -> None:
    """From now on listeners hear of what becomes of the profiles of this model."""

    def told(*, instance: Any, change: str, changes: Mapping[str, Any], **_: Any) -> None:
        # A new profile gets its first revision in a second step.
        if change == "~" and set(changes) == {"revision"} and changes["revision"][0] is None:
            return
        if change != "-":
            _emit(instance, tag, change, sorted(changes))

    def deleted(*, instance: Any, origin: Any, **_: Any) -> None:
        # What goes with its account is no news: the account's events go too.
        if getattr(origin, "model", type(origin)) is not Account:
            _emit(instance, tag, "-", [])

    recorded.connect(told, sender=model, weak=False)
    post_delete.connect(deleted, sender=model, weak=False)


def _emit(profile: Any, tag: str, change: str, changed: list[str]) -> None:
    uuid = getattr(profile, "uuid", None)
    owner = profile if hasattr(profile, "account_id") else profile.user
    emit(
        account=owner.account,
        extension=getattr(profile, "extension", None),
        tags=["profile", tag, TAGS[change]],
        data_type=tag,
        data={"id": profile.pk, "uuid": uuid, "name": profile.name, "changed": changed},
        data_object_uuid=uuid,
    )
