"""The places whose layers concern a phone, from weak to strong, and the layer of each, also where there is none yet."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from phones_app.configuration.layer_rows import LayersOfPhones, compared, family_of, label_of
from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile

Kind = Layer.Kind
# The fields of a layer that say what it is about.
About = dict[str, Any]


@dataclass(frozen=True)
class LayerPlace:
    """`key` names it in a form, `label` for people; `about` are the fields of its layer."""

    key: str
    label: str
    about: About = field(default_factory=dict)
    layer: Layer | None = None

    def own_layer(self) -> Layer:
        """The layer of the place, not stored yet where there is none."""
        return self.layer or Layer(**self.about)


def places_of(phone: Phone, profile: PhoneProfile | None) -> list[LayerPlace]:
    """Those of the phone's account, and of all accounts what is there already, or the portal."""
    rows = LayersOfPhones([phone], [profile.pk] if profile else []).of(phone, profile)
    account = phone.account
    family, model = family_of(phone.model), sep.catalogue.normalise_model(phone.model)
    wanted: list[About] = [
        {"kind": Kind.PORTAL, "account": None},
        {"kind": Kind.ACCOUNT, "account": account},
        *([{"kind": Kind.LOCATION, "account": account, "name": phone.location}] if phone.location else ()),
        *([{"kind": Kind.FAMILY, "account": account, "name": family}] if family else ()),
        *([{"kind": Kind.MODEL, "account": account, "name": model}] if model else ()),
        *({"kind": Kind.GROUP, "account": account, "group": group} for group in phone.groups.order_by("name")),
        *([{"kind": Kind.PROFILE, "account": profile.user.account, "profile": profile}] if profile else ()),
        {"kind": Kind.PHONE, "account": account, "phone": phone},
    ]
    found = [_place(about, rows) for about in wanted]
    known = {place.layer.pk for place in found if place.layer}
    # What the portal says of a family or a model.
    found += [_existing(layer) for layer in rows if layer.pk not in known]
    strength = list(Kind)
    return sorted(found, key=lambda place: (strength.index(place.about["kind"]), place.about["account"] is not None))


def _place(about: About, rows: Sequence[Layer]) -> LayerPlace:
    layer = next((row for row in rows if _is_at(row, about)), None)
    shown = layer or Layer(**about)
    return LayerPlace(_key(shown), label_of(shown), about, layer)


def _existing(layer: Layer) -> LayerPlace:
    about = {"kind": Kind(layer.kind), "account": layer.account, "name": layer.name}
    return LayerPlace(_key(layer), f"{label_of(layer)} of all accounts", about, layer)


def _key(layer: Layer) -> str:
    return ":".join([layer.kind, str(layer.group_id or ""), "" if layer.account_id else "all"])


def _is_at(layer: Layer, about: About) -> bool:
    one = Layer(**about)
    same = ("kind", "account_id", "group_id", "profile_id", "phone_id")
    return all(getattr(layer, name) == getattr(one, name) for name in same) and (
        compared(layer.kind, layer.name) == compared(one.kind, one.name)
    )
