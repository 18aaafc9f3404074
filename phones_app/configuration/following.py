"""What follows from changes: the phones whose files they concern are marked due, in the transaction of the change, and so
are the profiles whose own file is made from the same data.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.signals import m2m_changed, pre_delete, pre_save

from contacts_app.core.history.authorship import recorded
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.configuration.changes import (
    CONFIGURATIONS,
    mark_due,
    phones_in,
    phones_of_layout,
    phones_of_line,
    phones_of_template,
    with_profiles,
)
from phones_app.configuration.models import Layer, LayerLine, PhoneConfiguration
from phones_app.inventory.models import Phone, PhoneGroup
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, PhoneTemplate, Source
from profiles_app.phone.sources import remake_later, template_saved

# What of a phone its file depends on.
OF_PHONE = {
    "account", "model", "location", "name", "software_type", "software_version", "emergency_number", "current_profile",
    "base_profile",
}  # fmt: skip
OF_PROFILE = {"source", "template", "user", "software_type"}
Changes = Mapping[str, Any]
_together: ContextVar[set[int] | None] = ContextVar("together", default=None)


@contextmanager
def marked_together() -> Iterator[None]:
    """Within a transaction that changes many phones one by one: they are marked due at once, at its end."""
    keys: set[int] = set()
    token = _together.set(keys)
    try:
        yield
    finally:
        _together.reset(token)
    if keys:
        mark_due(Phone.objects.filter(pk__in=keys))


def _phone(*, instance: Phone, change: str, changes: Changes, **_: object) -> None:
    if change == "-" or (change == "~" and OF_PHONE.isdisjoint(changes)):
        return
    if instance.current_profile_id is None and "current_profile" not in changes:
        return
    waiting = _together.get()
    if waiting is None:
        mark_due(Phone.objects.filter(pk=instance.pk))
    else:
        waiting.add(instance.pk)


def _profile(*, instance: PhoneProfile, change: str, changes: Changes, **_: object) -> None:
    if change != "~":
        return
    # The revision of one that is made from data is its file without a phone, which no phone runs.
    if not OF_PROFILE.isdisjoint(changes) or ("revision" in changes and instance.source == Source.FILE):
        mark_due(Phone.objects.filter(with_profiles([instance.pk])))


def _profile_goes(sender: object, instance: PhoneProfile, **_: object) -> None:
    """The database empties the fields of its phones, which no signal tells of."""
    rows = PhoneConfiguration.objects.filter(phone__current_profile=instance.pk)
    rows.update(sha256="", error="", registration_user="", due_at=None)
    mark_due(Phone.objects.filter(base_profile=instance.pk).exclude(current_profile=instance.pk))


def _template(*, instance: PhoneTemplate, change: str, changes: Changes, **_: object) -> None:
    if change == "~" and "text" in changes:
        mark_due(phones_of_template(instance))
        template_saved(instance)


def _layout(*, instance: KeyLayout, change: str, changes: Changes, **_: object) -> None:
    if change == "~" and {"keys", "modules"} & changes.keys():
        mark_due(phones_of_layout(instance))
        _remake(Q(layer__key_layout=instance.pk))


def _line(*, instance: Line, change: str, **_: object) -> None:
    if change != "-":
        _of_line(instance)


def _line_before(sender: object, instance: Line, **_: object) -> None:
    """Of the owner that it had, too."""
    before = Line.objects.filter(pk=instance.pk).only("user", "account").first() if instance.pk else None
    if before is not None and before.user_id not in (None, instance.user_id):
        _of_line(before)


def _of_line(line: Line) -> None:
    mark_due(phones_of_line(line))
    _remake(Q(layer__lines=line.pk) | Q(user__isnull=False, user=line.user_id))


def _layer(*, instance: Layer, change: str, **_: object) -> None:
    if change != "-":
        _of_layer(instance)


def _layer_before(sender: object, instance: Layer, **_: object) -> None:
    """Of the place that it was about, where that is another one."""
    before = Layer.objects.filter(pk=instance.pk).first() if instance.pk else None
    if before is not None and (before.kind, before.name.lower()) != (instance.kind, instance.name.lower()):
        _of_layer(before)


def _layer_goes(sender: object, instance: Layer, **_: object) -> None:
    _of_layer(instance)


def _layer_line(*, instance: LayerLine, **_: object) -> None:
    if layer := Layer.objects.filter(pk=instance.layer_id).first():
        _of_layer(layer)


def _of_layer(layer: Layer) -> None:
    mark_due(phones_in(layer))
    match layer.kind:
        case Layer.Kind.PORTAL | Layer.Kind.FAMILY | Layer.Kind.MODEL | Layer.Kind.ACCOUNT:
            _remake(Q() if layer.account_id is None else Q(user__account=layer.account_id))
        case Layer.Kind.PROFILE:
            _remake(Q(pk=layer.profile_id or 0))


def _remake(profiles: Q) -> None:
    keys = PhoneProfile.objects.filter(profiles).order_by().values("pk")
    if remake_later(PhoneProfile.objects.filter(pk__in=keys)):
        nudge_after_commit(CONFIGURATIONS)


def _group(*, instance: PhoneGroup, change: str, changes: Changes, **_: object) -> None:
    """Of several groups the last one by name counts."""
    if change == "~" and "name" in changes:
        _of_groups([instance.pk], None)


def _members(sender: object, instance: Any, action: str, reverse: bool, pk_set: Any, **_: object) -> None:
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    groups, phones = (pk_set, [instance.pk]) if reverse else ([instance.pk], pk_set)
    if action == "pre_clear":
        groups = list(instance.groups.values_list("pk", flat=True)) if reverse else groups
        phones = phones if reverse else None
    _of_groups(groups, phones)


def _of_groups(groups: Collection[int], phones: Collection[int] | None) -> None:
    """These phones (None: all) of these groups, as far as a layer is about them."""
    if not Layer.objects.filter(group__in=list(groups)).exists():
        return
    rows: QuerySet[Phone] = Phone.objects.filter(groups__in=list(groups)) if phones is None else Phone.objects.all()
    mark_due(rows if phones is None else rows.filter(pk__in=list(phones)))


def follow_changes() -> None:
    """Called once all apps are loaded."""
    for model, follow in (
        *((Phone, _phone), (PhoneProfile, _profile), (PhoneTemplate, _template), (KeyLayout, _layout)),
        *((Line, _line), (Layer, _layer), (LayerLine, _layer_line), (PhoneGroup, _group)),
    ):
        recorded.connect(follow, sender=model)
    pre_save.connect(_line_before, sender=Line)
    pre_save.connect(_layer_before, sender=Layer)
    pre_delete.connect(_profile_goes, sender=PhoneProfile)
    pre_delete.connect(_layer_goes, sender=Layer)
    pre_delete.connect(_line_goes, sender=Line)
    pre_delete.connect(_layout_goes, sender=KeyLayout)
    m2m_changed.connect(_members, sender=PhoneGroup.phones.through)


def _line_goes(sender: object, instance: Line, **_: object) -> None:
    _of_line(instance)


def _layout_goes(sender: object, instance: KeyLayout, **_: object) -> None:
    mark_due(phones_of_layout(instance))
    _remake(Q(layer__key_layout=instance.pk))
