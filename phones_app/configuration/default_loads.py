"""Default loads: which firmware the phones of each model are to run, and how far they are (boot server spec §8).

It is the setting `load` of the layers, so that accounts, locations, groups and phones override it. Counted are the phones
by what they reported, by the load in the file that they should run, and by that in the file they have.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Q

from contacts_app.accounts.models import Account
from contacts_app.core.errors import Refusal
from phones_app.configuration.gather import LOAD
from phones_app.configuration.layer_rows import compared, family_of, layer_of
from phones_app.configuration.layers import check_about, fill
from phones_app.configuration.models import Layer
from phones_app.firmware.models import Firmware
from phones_app.firmware.services import load_of, loads_of, missing_for, way_of
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.rendering.values import merge

Kind = Layer.Kind
# What of the layers concerns all phones of a model alike.
OF_MODELS = (Kind.PORTAL, Kind.ACCOUNT, Kind.FAMILY, Kind.MODEL)


@dataclass(frozen=True)
class LoadCounts:
    """Phones of one model that have a load, should have it by their settings, and will fetch it when they boot."""

    load: str
    have: int
    should: int
    will_fetch: int


@dataclass(frozen=True)
class LoadChoice:
    """A load that could be the default, and how many phones would have to pass a gate before it, or must not get it."""

    load: str
    gated: int
    barred: int


@dataclass(frozen=True)
class DefaultLoad:
    """`said_by` is the layer that says `load`; `firmware` is what the portal has of it. "": no layer says any."""

    model: str
    load: str
    said_by: str
    firmware: Firmware | None
    phones: int
    counts: tuple[LoadCounts, ...]
    choices: tuple[LoadChoice, ...] = ()

    @property
    def gated(self) -> list[LoadChoice]:
        """The choices to which not all phones come at once."""
        return [choice for choice in self.choices if choice.gated or choice.barred]


def default_loads(account: Account | None) -> list[DefaultLoad]:
    """One for each model of the fleet: of an account, or None: of all, as far as no account says otherwise."""
    held, layers = loads_of(account), _layers_of_models(account)
    found = []
    for model, counts in sorted(_counted(account).items()):
        value = merge([layer_of(layer) for layer in layers if _concerns(layer, model)]).get(LOAD)
        load = value.value if value else ""
        present = {name: number for (name, kind), number in counts.items() if name and kind == "have"}
        fitting = (row.load for row in held.values() if model in row.phone_models and not row.faults)
        found.append(
            DefaultLoad(
                model=model,
                load=load,
                said_by=value.layer if value and load else "",
                firmware=held.get(load),
                phones=counts["", "phones"],
                counts=_as_counts(counts),
                choices=tuple(_choice(model, choice, present) for choice in fitting),
            )
        )
    return found


def overriding(account: Account | None) -> dict[str, int]:
    """How many layers of single places, groups, profiles and phones say a load of their own, by their kind."""
    rows = Layer.objects.filter(values__has_key=LOAD).exclude(kind__in=OF_MODELS)
    rows = rows if account is None else rows.filter(Q(account=account) | Q(profile__user__account=account))
    counted = rows.order_by().values_list("kind").annotate(Count("pk"))
    return {Kind(kind).label.lower(): number for kind, number in sorted(counted)}


@transaction.atomic
def set_default(model: str, load: str, account: Account | None) -> Layer:
    """Have the phones of a model run a load that is complete; "": no default of their own. Raises Refusal.

    Nothing is deployed by it: their next files say so.
    """
    row = load_of(load, account)
    if load and (row is None or missing_for(row, account) or model not in row.phone_models):
        raise Refusal("load-not-complete", f"The portal does not have {load} for a {model}, or not all of it.")
    same = Layer.objects.select_for_update().filter(kind=Kind.MODEL, account=account)
    layer = next((one for one in same if compared(one.kind, one.name) == model), None)
    layer = layer or Layer(kind=Kind.MODEL, account=account, name=model)
    values = {name: value for name, value in layer.values.items() if name != LOAD}
    values |= {LOAD: load} if load else {}
    check_about(layer)
    fill(layer, values | layer.secrets, list(layer.secrets))
    layer.save()
    return layer


def in_use(rows: Sequence[Firmware]) -> list[str]:
    """Why firmware cannot be removed: layers say that phones are to run it."""
    told = []
    for row in rows:
        layers = Layer.objects.filter(**{f"values__{LOAD}": row.load})
        if row.account_id is not None:
            layers = layers.filter(account=row.account_id)
        if number := layers.count():
            places = ", ".join(
                str(layer) for layer in layers.select_related("account", "group", "profile", "phone")[:3]
            )
            more = f" and {number - 3} more" if number > 3 else ""
            told.append(f"{row.load} is what phones are to run: {places}{more}.")
    return told


def _layers_of_models(account: Account | None) -> list[Layer]:
    """Of everybody and, before these by their order, of the account."""
    rows = Layer.objects.filter(kind__in=OF_MODELS).select_related("account", "group", "profile", "phone")
    owners = Q(account=None) if account is None else Q(account=None) | Q(account=account)
    return sorted(rows.filter(owners), key=lambda layer: (layer.account_id is not None, layer.pk))


def _concerns(layer: Layer, model: str) -> bool:
    if layer.kind == Kind.MODEL:
        return compared(layer.kind, layer.name) == model
    return layer.kind != Kind.FAMILY or compared(layer.kind, layer.name) == family_of(model).lower()


Counted = Counter[tuple[str, str]]


def _counted(account: Account | None) -> dict[str, Counted]:
    """Of each model how many phones there are of each load, in one statement."""
    rows = Phone.objects.filter(is_active=True) if account is None else account.phones.filter(is_active=True)
    columns = ("model", "software_version", "configuration__load", "configuration__file_load")
    found: defaultdict[str, Counted] = defaultdict(Counter)
    for model, has, should, next_load, number in rows.order_by().values_list(*columns).annotate(Count("pk")):
        counts = found[sep.catalogue.normalise_model(model)]
        counts["", "phones"] += number
        counts[has, "have"] += number
        counts[should, "should"] += number
        counts[next_load, "will_fetch"] += number if next_load != has else 0
    return {model: counts for model, counts in found.items() if model}


def _choice(model: str, load: str, present: Mapping[str, int]) -> LoadChoice:
    """`present` says how many phones have which load. Where no gate is known, none is counted."""
    ways = [(way_of(model, "", has, load), number) for has, number in present.items() if has != load]
    gated = sum(number for way, number in ways if way.gates)
    return LoadChoice(load, gated, sum(number for way, number in ways if way.refused))


def _as_counts(counts: Counted) -> tuple[LoadCounts, ...]:
    names: Iterable[str] = sorted({load for load, _ in counts if load})
    return tuple(LoadCounts(load, *(counts[load, kind] for kind in ("have", "should", "will_fetch"))) for load in names)
