"""The keys that people set on their phones themselves, and how their phones ring (portal spec §2).

They stand in the layer of the person's profile, so they come along to each phone that the person logs in on. A person's
keys begin as those that staff have made, and keep everything that people may not change.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Any, NamedTuple

from django.db import transaction

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.work import clock
from contacts_app.people.models import User
from contacts_app.people.zones import zone_of_account
from phones_app.configuration.gather import Gathered, layers_of
from phones_app.configuration.layer_rows import Instead
from phones_app.configuration.models import Layer
from phones_app.configuration.rendering import render_gathered
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import deploy, put_off
from phones_app.inventory.models import Phone
from phones_app.mobility.models import PRESENT, MobilitySession
from phones_app.mobility.policy import policy_of
from profiles_app.phone.models import KeyLayout, PhoneProfile, is_made
from profiles_app.phone.rendering.keys import LINE, arrange, find_kind, places_of
from profiles_app.phone.rendering.values import KeyOf

# Settings that people may change where no layer locks them.
OWN_SETTINGS = ("ring_idle", "ring_active")
# When nobody is at work.
TONIGHT = time(2)
Place = tuple[int, int]


class OwnKey(NamedTuple):
    """A key as a person has typed it; an empty kind is a key that does nothing."""

    kind: str = ""
    target: str = ""
    label: str = ""


@dataclass(frozen=True)
class OwnKeys:
    """A phone with the keys of the person at it. `kinds` are those that the account lets people choose."""

    phone: Phone
    profile: PhoneProfile
    gathered: Gathered
    places: tuple[Place, ...]
    keys: Mapping[Place, KeyOf]
    kinds: tuple[str, ...]
    modules: tuple[str, ...]

    def may_change(self, place: Place) -> bool:
        """Whether the person chooses what this key does; the labels of their lines are theirs anyway."""
        key = self.keys.get(place)
        return key is None or key.kind in self.kinds

    def may_label(self, place: Place) -> bool:
        kind = find_kind(self.keys[place].kind) if place in self.keys else None
        return self.may_change(place) or bool(kind and kind.labelled)


def own_profile_at(phone: Phone, person: User) -> PhoneProfile | None:
    """The profile by which this phone is the person's now: they are logged in with it, or it is theirs for good."""
    here = MobilitySession.objects.filter(phone=phone, user=person, state__in=PRESENT).select_related("profile__user")
    session = here.first()
    if session is not None:
        return session.profile
    profile = phone.current_profile
    return profile if profile is not None and profile.user_id == person.pk else None


def own_keys_of(phone: Phone, person: User) -> OwnKeys:
    """Raises Refusal where there are no keys that could be changed here."""
    profile = own_profile_at(phone, person)
    if profile is None:
        raise Refusal("not-yours", "The phone runs no profile of yours now.")
    gathered = layers_of([phone], profile).get(phone.pk) if is_made(profile) else None
    if gathered is None:
        raise Refusal("keys-in-file", "The keys of this phone stand in a file that only your administrator changes.")
    places = places_of(gathered.device.model, gathered.device.modules)
    if not places:
        raise Refusal("keys-unknown", "How many keys this phone has is not known.")
    return OwnKeys(
        phone=phone,
        profile=profile,
        gathered=gathered,
        places=places,
        keys=_keys_in_places(gathered, places),
        kinds=tuple(policy_of(phone).own_key_kinds),
        modules=gathered.device.modules,
    )


def _keys_in_places(gathered: Gathered, places: Sequence[Place]) -> dict[Place, KeyOf]:
    """The keys of the layout, and the lines that take the keys which are left."""
    found = {(key.module, key.position): key for key in gathered.keys}
    for placed in arrange(gathered.device, gathered.lines, gathered.keys).keys:
        place = places[placed.button - 1]
        if place not in found:
            found[place] = KeyOf(*place, kind=LINE, line=placed.line.index if placed.line else None)
    return found


def changed_keys(own: OwnKeys, typed: Mapping[Place, OwnKey]) -> list[KeyOf]:
    """All keys as they are to be: what the person may not change stays. Raises Refusal for what they may not choose."""
    keys = dict(own.keys)
    for place, new in typed.items():
        old = keys.get(place)
        if own.may_change(place):
            if not new.kind:
                keys.pop(place, None)
            elif new.kind in own.kinds:
                same = old if old is not None and old.kind == new.kind else KeyOf(*place, kind=new.kind)
                keys[place] = replace(same, target=new.target, label=new.label)
            else:
                raise Refusal("kind-not-allowed", "Your account does not let people choose this kind of key.")
        elif old is not None and own.may_label(place):
            keys[place] = replace(old, label=new.label)
    return [keys[place] for place in sorted(keys)]


def foreseen(own: OwnKeys, keys: Sequence[KeyOf], settings: Mapping[str, str]) -> Gathered:
    """What the phone's file would be made from. Raises Refusal where no file could be made of it."""
    layer = _layer(own.profile)
    with_settings = Layer(
        pk=layer.pk, account=own.phone.account, kind=Layer.Kind.PROFILE, profile=own.profile,
        values={**layer.values, **settings}, secret_values=layer.secret_values, locks=layer.locks,
        fragments=layer.fragments, key_layout=layer.key_layout,
    )  # fmt: skip
    gathered = layers_of([own.phone], own.profile, instead=Instead(layer=with_settings))[own.phone.pk]
    gathered = replace(gathered, keys=tuple(keys))
    render_gathered(gathered)
    return gathered


@transaction.atomic
def save_own(own: OwnKeys, keys: Sequence[KeyOf], settings: Mapping[str, str]) -> None:
    """Keep keys and settings with the person's profile; phones get them with their next deployment."""
    layer = _layer(own.profile)
    layout = own_layout(own.profile) or KeyLayout(own_of=own.profile, account=own.phone.account)
    layout.name = layout.name or f"Keys of {own.profile.user} ({str(own.profile.uuid)[:8]})"[:255]
    layout.keys, layout.modules = stored(keys), list(own.modules)
    layout.save()
    layer.account = own.phone.account
    layer.key_layout = layout
    layer.values = {name: text for name, text in {**layer.values, **settings}.items() if text or name not in settings}
    layer.save()


def own_layout(profile: PhoneProfile) -> KeyLayout | None:
    return KeyLayout.objects.filter(own_of=profile).first()


def undoable(profile: PhoneProfile) -> list[dict[str, Any]] | None:
    """The person's keys before their last change; None where there was none."""
    layout = own_layout(profile)
    if layout is None:
        return None
    rows = layout.history.order_by("-history_id").values_list("keys", flat=True)
    return next((keys for keys in rows[:50] if keys != layout.keys), None)


def undo(own: OwnKeys) -> None:
    """The keys as they were before the last change. Raises Refusal."""
    before = undoable(own.profile)
    layout = own_layout(own.profile)
    if before is None or layout is None:
        raise Refusal("nothing-to-undo", "There is no change that could be undone.")
    present = {place: key.kind for place, key in own.keys.items()}
    # Without what the account does not let people choose any more.
    layout.keys = [
        key
        for key in before
        if key["kind"] in own.kinds or present.get((key["module"], key["position"])) == key["kind"]
    ]
    layout.save()


def apply_own(own: OwnKeys, *, actor: Actor, tonight: bool) -> Deployment:
    """Bring them to the phone: as soon as nobody talks on it, or in the night. Raises Refusal."""
    with transaction.atomic():
        deployment = deploy(phone=own.phone, profile=own.profile, actor=actor)
        if tonight:
            put_off(deployment, _tonight(own.phone.account))
    return deployment


def _tonight(account: Account) -> datetime:
    now = clock.now().astimezone(zone_of_account(account))
    at = datetime.combine(now.date(), TONIGHT, tzinfo=now.tzinfo)
    return at if at > now else at + timedelta(days=1)


def _layer(profile: PhoneProfile) -> Layer:
    return Layer.objects.filter(profile=profile).first() or Layer(kind=Layer.Kind.PROFILE, profile=profile)


def stored(keys: Iterable[KeyOf]) -> list[dict[str, Any]]:
    return [{**vars(key), "options": dict(key.options)} for key in keys]
