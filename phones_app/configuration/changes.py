"""Whose files a change concerns: the phones that are changed themselves, and those of a layer, a line, a layout, a
template or a profile; and which phones have another file than the one that they should run.

What each phone should run stands in its `PhoneConfiguration`. A change marks those that it concerns as due, in one
statement; a kind of work (`wanted`) works them out. A profile that is a file needs no work: its digest is known.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet, Value
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Coalesce, Left

from contacts_app.core.history.authorship import News
from contacts_app.core.history.records import insert_from
from contacts_app.core.lists.among import among
from contacts_app.core.lists.search import one_of
from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.configuration.layer_rows import compared, family_of
from phones_app.configuration.models import OUTDATED, Layer, PhoneConfiguration
from phones_app.inventory.models import Phone
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, PhoneTemplate, Source

# The queue of the workers that work out what phones should run.
CONFIGURATIONS = "configurations"
LONGEST_LOAD = 128
# What of a phone its file depends on.
OF_PHONE = {
    "account", "model", "location", "name", "software_type", "software_version", "emergency_number", "current_profile",
    "base_profile",
}  # fmt: skip
Kind = Layer.Kind
FROM_DATA = ~Q(current_profile__source=Source.FILE) & Q(current_profile__isnull=False)


def phones_of_layer(layer: Layer) -> "QuerySet[Phone]":
    """The phones that the layer says something to, as far as their files are made from data."""
    return phones_in(layer).filter(FROM_DATA)


def phones_in(layer: Layer) -> "QuerySet[Phone]":
    """The phones of the place that the layer is about, whatever their files are made from."""
    rows = Phone.objects.all() if layer.account_id is None else Phone.objects.filter(account=layer.account_id)
    return PHONES_IN[Layer.Kind(layer.kind)](rows, layer)


def _of_models(rows: "QuerySet[Phone]", layer: Layer) -> "QuerySet[Phone]":
    """Models are stored as people write them, so all spellings that occur are looked through."""
    word: Callable[[str], str] = family_of if layer.kind == Kind.FAMILY else str
    spelt = rows.order_by().values_list("model", flat=True).distinct()
    wanted = compared(layer.kind, layer.name)
    return rows.filter(model__in=[model for model in spelt if compared(layer.kind, word(model)) == wanted])


PHONES_IN: dict[Layer.Kind, Callable[["QuerySet[Phone]", Layer], "QuerySet[Phone]"]] = {
    Kind.PORTAL: lambda rows, layer: rows,
    Kind.ACCOUNT: lambda rows, layer: rows,
    Kind.LOCATION: lambda rows, layer: rows.filter(location__iexact=layer.name),
    Kind.FAMILY: _of_models,
    Kind.MODEL: _of_models,
    Kind.GROUP: lambda rows, layer: rows.filter(groups=layer.group_id),
    Kind.PROFILE: lambda rows, layer: rows.filter(with_profiles([layer.profile_id])),
    Kind.PHONE: lambda rows, layer: rows.filter(pk=layer.phone_id or 0),
}


def with_profiles(profiles: Any) -> Q:
    """The phones whose files come of these profiles (keys, or a query for them): as their own, or as their base."""
    return Q(current_profile__in=profiles) | Q(base_profile__in=profiles)


def phones_of_layers(layers: Iterable[Layer]) -> "QuerySet[Phone]":
    """Those of any of these stored layers. Layers of single phones, which can be thousands, are one condition.

    With the keys of the phones in it: of a query for them PostgreSQL may think that it finds none, and ask it for each.
    """
    alone, found = defaultdict[int | None, list[int]](list), Q(pk__in=[])
    for layer in layers:
        if layer.kind == Kind.PHONE:
            alone[layer.account_id].append(layer.phone_id or 0)
        else:
            found |= Q(pk__in=phones_in(layer).values("pk"))
    for account, phones in alone.items():
        found |= Q(account=account, pk__in=among(phones))
    return Phone.objects.filter(found, FROM_DATA)


def phones_of_line(line: Line) -> "QuerySet[Phone]":
    """The phones that may have the line: by a layer, or because its owner's profile is theirs."""
    found = Q(pk__in=phones_of_layers(Layer.objects.filter(lines=line)).values("pk"))
    if line.user_id:
        found |= with_profiles(PhoneProfile.objects.filter(user=line.user_id).values("pk"))
    return Phone.objects.filter(found, FROM_DATA, account=line.account_id)


def phones_of_layouts(layouts: Collection[KeyLayout]) -> "QuerySet[Phone]":
    return phones_of_layers(Layer.objects.filter(key_layout__in=among([layout.pk for layout in layouts])))


def phones_of_template(template: PhoneTemplate) -> "QuerySet[Phone]":
    return Phone.objects.filter(with_profiles(template.profiles.values("pk")), FROM_DATA)


@transaction.atomic
def mark_due(phones: "QuerySet[Phone]") -> None:
    """Have it worked out anew what these phones should run.

    Rows are locked in one order, so that two changes at once do not wait for each other in a circle.
    """
    chosen = Phone.objects.filter(pk__in=phones.order_by().values("pk"))
    rows = PhoneConfiguration.objects.filter(phone__in=chosen.values("pk")).order_by("pk")
    list(rows.select_for_update(no_key=True).values_list("pk"))
    if insert_from(chosen.filter(FROM_DATA), PhoneConfiguration, over=["phone"], phone=F("pk"), due_at=clock.now()):
        nudge_after_commit(CONFIGURATIONS)
    insert_from(
        chosen.exclude(FROM_DATA),
        PhoneConfiguration,
        over=["phone"],
        phone=F("pk"),
        sha256=Coalesce(F("current_profile__revision__sha256"), Value("")),
        error="",
        registration_user="",
        load=_load_in("current_profile__revision__facts"),
        rendered_at=clock.now(),
        due_at=None,
    )


def phones_changed(news: News) -> None:
    """Phones came, or something was changed that their files depend on."""
    keys = {
        phone.pk
        for phone, change, changes in news
        if (phone.current_profile_id is not None or "current_profile" in changes)
        and (change == "+" or (change == "~" and not OF_PHONE.isdisjoint(changes)))
    }
    if keys:
        mark_due(Phone.objects.filter(pk__in=keys))


def note_files(phones: Any) -> None:
    """Take down which file each of these phones (keys, or a query for them) has now."""
    rows = Phone.objects.filter(pk__in=phones)
    digest = Coalesce(F("file__sha256"), Value(""))
    load = _load_in("file__revision__facts")
    insert_from(rows, PhoneConfiguration, over=["phone"], phone=F("pk"), file_sha256=digest, file_load=load)


def _load_in(facts: str) -> Coalesce:
    """The firmware that a file names, by the facts of its revision."""
    return Coalesce(Left(KeyTextTransform("load", facts), LONGEST_LOAD), Value(""))


def outdated(about: PhoneProfile | Layer | None = None, *, account: int | None = None) -> "QuerySet[Phone]":
    """The active phones that have another file than they should run, or none: of a profile, in the place of a layer, of
    an account, or all. What is still to be worked out counts by what was known last.
    """
    rows = (
        Phone.objects.filter(is_active=True) if about is None or isinstance(about, PhoneProfile) else phones_in(about)
    )
    if isinstance(about, PhoneProfile):
        rows = rows.filter(current_profile=about)
    if account is not None:
        rows = rows.filter(account=account)
    return rows.filter(pk__in=PhoneConfiguration.objects.filter(OUTDATED).values("phone"), is_active=True)


def is_outdated() -> Q:
    """The same as a condition of a list, which is read in its own order: those few are looked up first."""
    return Q(one_of("pk", PhoneConfiguration.objects.filter(OUTDATED).values("phone"), order=["phone"]), is_active=True)


def to_roll_out(phones: "QuerySet[Phone]") -> "QuerySet[Phone]":
    """Those of these phones that a rollout may have to bring another file: the outdated ones, and those where it is not
    worked out yet. Of these the rollout finds out itself, and leaves those alone that have it.
    """
    rows = PhoneConfiguration.objects.filter(OUTDATED | Q(due_at__isnull=False))
    return phones.filter(pk__in=rows.values("phone"), is_active=True)


def unmade(phones: "QuerySet[Phone]") -> "QuerySet[Phone]":
    """Those of these phones for which no file could be made when it was tried last."""
    return phones.filter(pk__in=PhoneConfiguration.objects.exclude(error="").values("phone"))


def being_worked_out(phones: "QuerySet[Phone]") -> int:
    """Of how many of these phones it is not known yet what they should run."""
    return PhoneConfiguration.objects.filter(due_at__isnull=False, phone__in=phones.values("pk")).count()
