"""Layers that are there already: what may be given to them without a change for any other phone, and giving it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from contacts_app.accounts.models import Account
from contacts_app.core.history.records import create_recorded, save_recorded
from phones_app.configuration.layer_rows import compared
from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone
from profiles_app.phone.models import Source
from profiles_app.phone.rendering.settings import find_setting

Kind = Layer.Kind
PLACES = (Kind.ACCOUNT, Kind.LOCATION, Kind.MODEL)


class KnownLayers:
    """The layers of an account, and which of its phones are made from data and not among those that are adopted."""

    def __init__(self, account: Account, adopted: Collection[str]) -> None:
        self._account = account
        self._rows: dict[tuple[str, str], Layer] = {}
        # Where a name has a value: it would hide, or be hidden by, the same name in another layer.
        self._used: dict[str, set[tuple[str, str]]] = defaultdict(set)
        rows = Layer.objects.filter(account__in=[account, None]).exclude(kind__in=[Kind.PORTAL, Kind.PHONE])
        for layer in rows.order_by("pk"):
            place = (layer.kind, compared(layer.kind, layer.name))
            own = layer.account_id == account.pk and layer.kind in PLACES
            if own:
                self._rows[place] = layer
            for name in [*layer.values, *layer.secrets]:
                self._used[name].add(place if own else (layer.kind, str(layer.pk)))
        others = Phone.objects.filter(account=account, current_profile__isnull=False).exclude(
            current_profile__source=Source.FILE
        )
        self._others = [phone for phone in others.only("mac", "location", "model") if phone.mac not in adopted]

    def may_give(self, kind: str, name: str, setting: str, value: str) -> bool:
        """Whether a value in this layer changes no other phone's file, and counts for the phones that are adopted."""
        if kind == Kind.PROFILE:
            return True  # A profile is new, and stronger than whatever is there but the phones' own layers.
        place = (kind, name)
        if self._used[setting]:
            layer = self._rows.get(place)
            return self._used[setting] == {place} and layer is not None and _has(layer, setting, value)
        # A variable of one's own stands in no template but those that are adopted.
        return find_setting(setting) is None or not any(self._is_in(phone, kind, name) for phone in self._others)

    def give(
        self, kind: str, compared_name: str, values: Mapping[str, str], secrets: Iterable[str], name: str = ""
    ) -> int:
        """Store values in a layer, which is made when it is missing. Returns how many layers are new or changed."""
        hidden = frozenset(secrets)
        layer = self._rows.get((kind, compared_name)) or Layer(account=self._account, kind=kind, name=name)
        before = (dict(layer.values), layer.secret_values)
        put(layer, values, hidden)
        if layer.pk is None:
            create_recorded([layer])
        elif (layer.values, layer.secret_values) != before:
            save_recorded([layer], ["values", "secret_values"])
        else:
            return 0
        return 1

    @staticmethod
    def _is_in(phone: Phone, kind: str, name: str) -> bool:
        if kind == Kind.ACCOUNT:
            return True
        return compared(kind, phone.location if kind == Kind.LOCATION else phone.model) == name


def put(layer: Layer, values: Mapping[str, str], secrets: frozenset[str]) -> None:
    """Give a layer values, those that are secret where they are encrypted."""
    layer.values = layer.values | {name: value for name, value in values.items() if name not in secrets}
    layer.secrets = layer.secrets | {name: value for name, value in values.items() if name in secrets}


def _has(layer: Layer, name: str, value: str) -> bool:
    return {**layer.values, **layer.secrets}.get(name) == value
