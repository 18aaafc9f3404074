"""What follows from changes: the phones whose files they concern are marked due, in the transaction of the change, and so
are the profiles whose own file is made from the same data. Many changes by one statement are followed together.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from functools import cache, reduce
from operator import or_

from django.db.models import Exists, Q, TextField
from django.db.models.functions import Cast
from django.db.models.signals import m2m_changed, pre_delete, pre_save

from contacts_app.accounts.models import Account
from contacts_app.core.history.authorship import News, when_recorded
from contacts_app.core.lists.statement import Slot, Statement
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.configuration.changes import (
    CONFIGURATIONS,
    mark_due,
    phones_changed,
    phones_in,
    phones_of_layouts,
    phones_of_template,
    with_profiles,
)
from phones_app.configuration.models import Layer, LayerLine, PhoneConfiguration
from phones_app.configuration.shared_versions import VERSIONED
from phones_app.inventory.models import Phone, PhoneGroup
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, PhoneTemplate, Source
from profiles_app.phone.sources import remake_later, template_saved

OF_PROFILE = {"source", "template", "user", "software_type"}
EVERYWHERE = (Layer.Kind.PORTAL, Layer.Kind.ACCOUNT, Layer.Kind.FAMILY, Layer.Kind.MODEL)
NOTHING = Q(pk__in=[])
# What of a line the keys that call it show.
NAMED_BY = {"extension", "label", "display_name"}
# So many numbers are looked for in the keys of layouts.
FEW = 20


# Asked of each line that is stored, most of which no layer has and no key calls yet.
@cache
def _uses() -> Statement:
    """Whether layers have a line, and whether there are layouts whose keys may call it."""
    has_line = LayerLine.objects.filter(line=Slot(LayerLine._meta.get_field("line"))())
    of_account = Q(account=Slot(Layer._meta.get_field("account"))()) | Q(account=None)
    has_layout = Layer.objects.filter(of_account, key_layout__isnull=False)
    account = Account.objects.order_by().filter(pk=Slot(Account._meta.pk)())
    return Statement(account.values_list(Exists(has_line), Exists(has_layout)))


@cache
def _owner() -> Statement:
    return Statement(Line.objects.order_by().filter(pk=Slot(Line._meta.pk)()).values_list("user"))


def _profiles(news: News) -> None:
    # The revision of one that is made from data is its file without a phone, which no phone runs.
    keys = {
        profile.pk
        for profile, change, changes in news
        if change == "~"
        and (not OF_PROFILE.isdisjoint(changes) or ("revision" in changes and profile.source == Source.FILE))
    }
    _mark(with_profiles(keys) if keys else NOTHING)


def _profile_goes(sender: object, instance: PhoneProfile, **_: object) -> None:
    """The database empties the fields of its phones, which no signal tells of."""
    rows = PhoneConfiguration.objects.filter(phone__current_profile=instance.pk)
    rows.update(sha256="", error="", registration_user="", load="", due_at=None)
    mark_due(Phone.objects.filter(base_profile=instance.pk).exclude(current_profile=instance.pk))


def _templates(news: News) -> None:
    for template, change, changes in news:
        if change == "~" and "text" in changes:
            mark_due(phones_of_template(template))
            template_saved(template)


def _layouts(news: News) -> None:
    for layout, change, changes in news:
        if change == "~" and {"keys", "modules"} & changes.keys():
            _of_layout(layout)


def _of_layout(layout: KeyLayout) -> None:
    mark_due(phones_of_layouts([layout]))
    _remake(Q(layer__key_layout=layout.pk))


def _layout_goes(sender: object, instance: KeyLayout, **_: object) -> None:
    _of_layout(instance)


def _lines(news: News) -> None:
    lines = [line for line, change, _ in news if change != "-"]
    renamed = [line for line, change, changes in news if change == "+" or not NAMED_BY.isdisjoint(changes.keys())]
    _follow_lines(lines, renamed)


def _follow_lines(lines: Sequence[Line], renamed: Sequence[Line]) -> None:
    """Of several lines it is not asked first who has them."""
    is_used = may_be_called = True
    if len(lines) == 1:
        account = lines[0].account_id
        is_used, may_be_called = _uses().row(lines[0].pk, account, account) or (True, True)
    _of_lines(lines, is_used=is_used)
    if may_be_called:
        _of_layouts_calling(renamed)


def _of_layouts_calling(lines: Sequence[Line]) -> None:
    """Keys without a label are called as the line that they call. Of many lines it is not asked which keys these are."""
    for account in {line.account_id for line in lines}:
        named = [line.extension for line in lines if line.account_id == account]
        layouts = KeyLayout.objects.filter(Q(account=account) | Q(account=None))
        if len(named) <= FEW:
            layouts = layouts.annotate(text=Cast("keys", TextField()))
            layouts = layouts.filter(reduce(or_, (Q(text__contains=json.dumps(number)) for number in named)))
        of_account = Layer.objects.filter(key_layout__in=layouts.values("pk"))
        _of_layers(of_account.filter(Q(account=account) | Q(account=None)))


def _line_before(sender: object, instance: Line, update_fields: Iterable[str] | None = None, **_: object) -> None:
    """Of the owner that it had, too."""
    may_go = instance.pk and (update_fields is None or not {"user", "user_id"}.isdisjoint(update_fields))
    owner = _owner().row(instance.pk) if may_go else None
    if owner is not None and owner[0] not in (None, instance.user_id):
        _of_lines([Line.objects.only("user", "account").get(pk=instance.pk)])


def _line_goes(sender: object, instance: Line, **_: object) -> None:
    _follow_lines([instance], [instance])


def _of_lines(lines: Collection[Line], *, is_used: bool = True) -> None:
    """The phones that may have one of the lines: by a layer, or because its owner's profile is theirs."""
    keys, owners = [line.pk for line in lines], {line.user_id for line in lines} - {None}
    if is_used:
        _of_layers(Layer.objects.filter(pk__in=LayerLine.objects.filter(line__in=keys).values("layer")))
    if owners:
        _mark(with_profiles(PhoneProfile.objects.filter(user__in=owners).values("pk")))
        _remake(Q(user__in=owners))


def _layers(news: News) -> None:
    _of_layers([layer for layer, change, _ in news if change != "-"])


def _layer_before(sender: object, instance: Layer, **_: object) -> None:
    """Of the place that it was about, where that is another one."""
    before = Layer.objects.filter(pk=instance.pk).first() if instance.pk else None
    if before is not None and (before.kind, before.name.lower()) != (instance.kind, instance.name.lower()):
        _of_layers([before])


def _layer_goes(sender: object, instance: Layer, **_: object) -> None:
    _of_layers([instance])


def _layer_lines(news: News) -> None:
    _of_layers(Layer.objects.filter(pk__in={use.layer_id for use, _, _ in news}))


def _of_layers(layers: Iterable[Layer]) -> None:
    """Layers of phones and of profiles may be many; those of places are few."""
    phones, profiles = set[int](), set[int]()
    for layer in layers:
        if layer.phone_id:
            phones.add(layer.phone_id)
        elif layer.profile_id:
            profiles.add(layer.profile_id)
        else:
            mark_due(phones_in(layer))
        if layer.kind in EVERYWHERE:
            _remake(Q() if layer.account_id is None else Q(user__account=layer.account_id))
    if phones or profiles:
        _mark(Q(pk__in=phones) | with_profiles(profiles))
    if profiles:
        _remake(Q(pk__in=profiles))


def _mark(chosen: Q) -> None:
    if chosen != NOTHING:
        mark_due(Phone.objects.filter(chosen))


def _remake(profiles: Q) -> None:
    keys = PhoneProfile.objects.filter(profiles).order_by().values("pk")
    if remake_later(PhoneProfile.objects.filter(pk__in=keys)):
        nudge_after_commit(CONFIGURATIONS)


def _groups(news: News) -> None:
    """Of several groups the last one by name counts."""
    for group, change, changes in news:
        if change == "~" and "name" in changes:
            _of_groups([group.pk], None)


def _members(
    sender: object, instance: Phone | PhoneGroup, action: str, pk_set: Collection[int] | None, **_: object
) -> None:
    """Phones come into groups or leave them, from either side."""
    if action not in ("post_add", "post_remove", "pre_clear"):
        return
    if isinstance(instance, Phone):
        groups = instance.groups.values_list("pk", flat=True) if pk_set is None else pk_set
        _of_groups(list(groups), [instance.pk])
    else:
        _of_groups([instance.pk], pk_set)


def _of_groups(groups: Collection[int], phones: Collection[int] | None) -> None:
    """These phones (None: all) of these groups, as far as a layer is about them."""
    if Layer.objects.filter(group__in=groups).exists():
        _mark(Q(groups__in=groups) if phones is None else Q(pk__in=phones))


def shared_files_changed(account: int | None, phone: int | None, paths: Sequence[str]) -> None:
    """Files name versions of the languages and tones that are shared with their phones."""
    folders = {path.lower().rpartition("/")[0] for path in paths if "/" in path}
    if phone is not None and folders:
        _mark(Q(pk=phone))
    elif folders:
        names = [folder for folder, _, _ in VERSIONED]
        layers = Layer.objects.filter(reduce(or_, (Q(values__has_key=name) for name in names)))
        if account is not None:
            layers = layers.filter(Q(account=None) | Q(account=account))
        _of_layers(layer for layer in layers if any(layer.values.get(name, "").lower() in folders for name in names))


def follow_changes() -> None:
    """Called once all apps are loaded."""
    when_recorded(Phone, phones_changed)
    when_recorded(PhoneProfile, _profiles)
    when_recorded(PhoneTemplate, _templates)
    when_recorded(KeyLayout, _layouts)
    when_recorded(Line, _lines)
    when_recorded(Layer, _layers)
    when_recorded(LayerLine, _layer_lines)
    when_recorded(PhoneGroup, _groups)
    pre_save.connect(_line_before, sender=Line)
    pre_save.connect(_layer_before, sender=Layer)
    pre_delete.connect(_profile_goes, sender=PhoneProfile)
    pre_delete.connect(_layer_goes, sender=Layer)
    pre_delete.connect(_line_goes, sender=Line)
    pre_delete.connect(_layout_goes, sender=KeyLayout)
    m2m_changed.connect(_members, sender=PhoneGroup.phones.through)
