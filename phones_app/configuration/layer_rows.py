"""The rows of layers that concern a set of phones, read in a few queries whatever the number of phones.

Weak to strong: portal, account, location, model family, model, groups by name (the last one wins), profile, phone. What
the portal says of a family or a model is weaker than what the phone's own account says of it. Locations are compared
without regard to case, as mobility policies do.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from django.db.models import Q, QuerySet

from contacts_app.core.lists.among import among
from phones_app.configuration.models import Layer, LayerLine
from phones_app.inventory.models import Phone, PhoneGroup
from profiles_app.phone import sep
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, PhoneTemplate
from profiles_app.phone.rendering.values import Fragment, LayerOf

Kind = Layer.Kind
# An account, None for the portal; the kind; and the name as it is compared.
Place = tuple[int | None, str, str]
Memberships = PhoneGroup.phones.through


# What a layer of a kind is about, where that is a row; the others are about places.
ABOUT = {Kind.GROUP: "group", Kind.PROFILE: "profile", Kind.PHONE: "phone"}


def label_of(layer: Layer) -> str:
    """What the layer is called where a value comes from it: "location Munich"."""
    account = layer.account.name if layer.account and layer.kind == Kind.ACCOUNT else ""
    about = account or layer.group or layer.profile or layer.phone or layer.name
    return f"{layer.get_kind_display().lower()} {about}".strip()


def layer_of(layer: Layer) -> LayerOf:
    """A row as the renderer takes it; its secrets are among the values, and named."""
    secrets = layer.secrets
    return LayerOf(
        kind=layer.kind,
        label=label_of(layer),
        key=str(layer.uuid),
        values=layer.values | secrets,
        locks=frozenset(layer.locks),
        fragments=tuple(Fragment(**fragment) for fragment in layer.fragments),
        secret=frozenset(secrets),
    )


def family_of(model: str) -> str:
    """The family of the catalogue that a model is of, "" for one that is not known."""
    known = sep.catalogue.find(model)
    return known.family if known else ""


def compared(kind: str, name: str) -> str:
    """The name of a location, a family or a model as it is compared."""
    return sep.catalogue.normalise_model(name) if kind == Kind.MODEL else name.strip().lower()


@dataclass(frozen=True)
class Instead:
    """Rows as they are to be, in place of those that are stored: to see what a change would do.

    A layer without a key is a new one. `lines` are those of the layer; None: as they are. `no_layers` and `no_layouts`
    are the keys of what is to be deleted. `loads` are the firmware that single phones are to get, by their keys,
    whatever their layers say, but for a lock.
    """

    layer: Layer | None = None
    lines: Sequence[Line] | None = None
    layout: KeyLayout | None = None
    no_layers: frozenset[int] = frozenset()
    no_layouts: frozenset[int] = frozenset()
    template: PhoneTemplate | None = None
    loads: Mapping[int, str] = field(default_factory=dict)


AS_STORED = Instead()
# The key of a layer that is not stored.
UNSAVED = 0


class LayersOfPhones:
    """The layers of some phones with some profiles, and what hangs on them."""

    def __init__(self, phones: Sequence[Phone], profiles: Iterable[int], instead: Instead = AS_STORED) -> None:
        self._instead = instead
        keys = [phone.pk for phone in phones if phone.pk]
        accounts = {phone.account_id for phone in phones}
        of_place: defaultdict[Place, list[Layer]] = defaultdict(list)
        rows = Layer.objects.select_related("account", "group", "profile", "phone")
        rows = rows.defer("phone__web_password")
        in_places = Q(group=None, profile=None, phone=None) & (Q(account=None) | Q(account__in=accounts))
        for layer in self._with_change(rows.filter(in_places).order_by("pk"), "place"):
            of_place[layer.account_id, layer.kind, compared(layer.kind, layer.name)].append(layer)
        self._of_place = of_place
        self._groups = self._groups_of(keys)
        groups = {group for groups in self._groups.values() for group in groups}
        self._of_group = self._by(rows, "group", groups)
        self._of_profile = self._by(rows, "profile", set(profiles))
        self._of_phone = self._by(rows, "phone", keys)
        self._read: dict[int, LayerOf] = {}
        self._lines = self._lines_of(accounts)
        self._layouts = self._layouts_of()

    def _by(self, rows: "QuerySet[Layer]", name: str, keys: Iterable[int]) -> dict[int, Layer]:
        wanted = list(keys)
        found = rows.filter(**{f"{name}__in": among(wanted)}) if wanted else ()
        return {getattr(layer, f"{name}_id"): layer for layer in self._with_change(found, name)}

    def _with_change(self, rows: Iterable[Layer], about: str) -> Iterable[Layer]:
        """The rows with the changed one in its place: what a layer is about does not change."""
        changed = self._instead.layer
        for layer in rows:
            if layer.pk in self._instead.no_layers:
                continue
            yield changed if changed is not None and changed.pk == layer.pk else layer
        if changed is not None and not changed.pk and about == ABOUT.get(Layer.Kind(changed.kind), "place"):
            yield changed

    def _groups_of(self, phones: Sequence[int]) -> dict[int, list[int]]:
        """The groups of each phone by their names: the last one is the strongest."""
        found: defaultdict[int, list[tuple[str, int]]] = defaultdict(list)
        if phones:
            has_layer = Q(phonegroup__layer__isnull=False)
            if self._instead.layer is not None and self._instead.layer.group_id:
                has_layer |= Q(phonegroup=self._instead.layer.group_id)
            members = Memberships._default_manager.filter(has_layer, phone__in=among(phones))
            for phone, name, group in members.values_list("phone", "phonegroup__name", "phonegroup"):
                found[phone].append((name.lower(), group))
        return {phone: [group for _, group in sorted(groups)] for phone, groups in found.items()}

    def of(self, phone: Phone, profile: PhoneProfile | None) -> list[Layer]:
        """The rows that concern a phone, from weak to strong."""
        account = phone.account_id
        family, model, place = compared(Kind.FAMILY, family_of(phone.model)), phone.model, phone.location
        where: list[Place] = [
            (None, Kind.PORTAL, ""),
            (account, Kind.ACCOUNT, ""),
            (account, Kind.LOCATION, compared(Kind.LOCATION, place)),
            (None, Kind.FAMILY, family),
            (account, Kind.FAMILY, family),
            (None, Kind.MODEL, compared(Kind.MODEL, model)),
            (account, Kind.MODEL, compared(Kind.MODEL, model)),
        ]
        found = [layer for place in where for layer in self._of_place.get(place, ())]
        found += [self._of_group[group] for group in self._groups.get(phone.pk, ()) if group in self._of_group]
        if profile is not None and profile.pk in self._of_profile:
            found.append(self._of_profile[profile.pk])
        if phone.pk in self._of_phone:
            found.append(self._of_phone[phone.pk])
        return found

    def read(self, layer: Layer) -> LayerOf:
        """The layer as values, decrypted once for all of its phones."""
        key = layer.pk or UNSAVED
        if key not in self._read:
            self._read[key] = layer_of(layer)
        return self._read[key]

    def lines(self, layer: Layer, account: int) -> list[Line]:
        """Its lines in their order; a layer that all accounts see gives none of another account."""
        changed = layer is self._instead.layer and self._instead.lines is not None
        lines = self._instead.lines if changed else self._lines.get(layer.pk or UNSAVED)
        return [line for line in lines or () if line.account_id == account]

    def layout(self, layer: Layer, account: int) -> KeyLayout | None:
        changed = self._instead.layout
        if layer.key_layout_id in self._instead.no_layouts:
            return None
        stored = self._layouts.get(layer.key_layout_id or 0)
        layout = changed if changed is not None and changed.pk == layer.key_layout_id else stored
        return layout if layout is not None and layout.account_id in (None, account) else None

    def _all(self) -> Iterable[Layer]:
        for layers in self._of_place.values():
            yield from layers
        for by_key in (self._of_group, self._of_profile, self._of_phone):
            yield from by_key.values()

    def _lines_of(self, accounts: Iterable[int]) -> Mapping[int, list[Line]]:
        strong = (self._of_group, self._of_profile, self._of_phone)
        layers = [layer.pk for by_key in strong for layer in by_key.values() if layer.pk]
        found: defaultdict[int, list[Line]] = defaultdict(list)
        if layers:
            uses = LayerLine.objects.filter(layer__in=among(layers), line__account__in=list(accounts))
            for use in uses.select_related("line").order_by("layer", "position"):
                found[use.layer_id].append(use.line)
        return found

    def _layouts_of(self) -> Mapping[int, KeyLayout]:
        wanted = {layer.key_layout_id for layer in self._all() if layer.key_layout_id}
        return {layout.pk: layout for layout in KeyLayout.objects.filter(pk__in=among(list(wanted)))} if wanted else {}


def version_of(layer: Layer) -> str:
    """The time of its last change, as provenance names versions."""
    return layer.updated_at.astimezone(UTC).isoformat() if layer.updated_at else ""
