"""Values at the phones' own layers, given to many phones at once or taken from them: a part of a change of phones."""

from collections.abc import Mapping, Sequence

from django.utils import timezone

from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import create_recorded, save_recorded
from contacts_app.core.lists.among import among
from phones_app.configuration.layer_rows import LayersOfPhones, label_of
from phones_app.configuration.models import Layer
from phones_app.inventory.bulk import NOTHING, BulkNews
from phones_app.inventory.models import Phone
from profiles_app.phone.models import is_made
from profiles_app.phone.rendering.settings import all_settings


class PhoneValues:
    """Names of settings, none of them secret, with the value of each as it is stored; None takes it away."""

    def __init__(self, values: Mapping[str, str | None]) -> None:
        self.values = values
        self.labels = {setting.name: setting.label for setting in all_settings() if setting.name in values}
        # Phones with news whose files are not made from data.
        self.without_use = 0

    @property
    def notes(self) -> list[str]:
        if not self.without_use:
            return []
        number = f"{self.without_use:,} phone" + ("s have" if self.without_use > 1 else " has")
        return [f"{number} a profile that is a file, or none: values count once the profile is made from data."]

    def refusals(self, phones: Sequence[Phone]) -> Mapping[int, Refusal]:
        given = {name for name, value in self.values.items() if value is not None}
        rows = LayersOfPhones(phones, {phone.current_profile_id for phone in phones if phone.current_profile_id})
        found = {}
        for phone in phones:
            for layer in rows.of(phone, phone.current_profile):
                if layer.phone_id is None and (locked := given.intersection(layer.locks)):
                    what = ", ".join(sorted(self.labels[name] for name in locked))
                    found[phone.pk] = Refusal("locked", f"{what}: locked at {label_of(layer)}, for all of its phones.")
                    break
        return found

    def news(self, phones: Sequence[Phone]) -> Mapping[int, Sequence[BulkNews]]:
        own, found = _own_layers(phones), {}
        for phone in phones:
            before = own[phone.pk].values if phone.pk in own else {}
            told = [
                BulkNews(self.labels[name], _shown(before.get(name)), _shown(value))
                for name, value in self.values.items()
                if before.get(name) != value
            ]
            if told:
                found[phone.pk] = told
                self.without_use += not is_made(phone.current_profile)
        return found

    def apply(self, phones: Sequence[Phone]) -> None:
        own, now = _own_layers(phones, lock=True), timezone.now()
        changed, new = list[Layer](), list[Layer]()
        for phone in phones:
            layer = own.get(phone.pk) or Layer(kind=Layer.Kind.PHONE, account=phone.account, phone=phone)
            values = {name: value for name, value in layer.values.items() if name not in self.values}
            layer.values = values | {name: value for name, value in self.values.items() if value is not None}
            layer.updated_at = now
            (changed if layer.pk else new).append(layer)
        create_recorded(new)
        save_recorded(changed, ["values", "updated_at"])


def _own_layers(phones: Sequence[Phone], *, lock: bool = False) -> dict[int, Layer]:
    if not phones:
        return {}
    rows = Layer.objects.filter(phone__in=among([phone.pk for phone in phones])).order_by("pk")
    found = (rows.select_for_update() if lock else rows).defer("secret_values")
    own = {layer.phone_id: layer for layer in found if layer.phone_id}
    for phone in phones:
        if phone.pk in own:
            # What the layer is called in the history; each would be a query of its own.
            own[phone.pk].phone = phone
    return own


def _shown(value: str | None) -> str:
    return NOTHING if value is None else value or "left to the phone"
