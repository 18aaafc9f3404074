"""A plan becomes rows: phones, lines, templates, profiles and layers. The caller holds a transaction around all of it."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from copy import copy

from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.history.records import create_recorded, save_recorded, update_recorded
from contacts_app.people.models import User
from phones_app.configuration.adopting.layers import KnownLayers, put
from phones_app.configuration.adopting.sorting import Candidate
from phones_app.configuration.models import Layer, LayerLine
from phones_app.inventory.models import Phone
from profiles_app.phone.adopting import Plan
from profiles_app.phone.models import Line, PhoneProfile, PhoneTemplate, Source
from profiles_app.phone.rendering.values import LineOf

LONGEST_NAME = 255


class PlanRows:
    """The rows of one plan, stored; `new` counts them by kind."""

    def __init__(self, plan: Plan, candidates: Mapping[str, Candidate], account: Account, owner: User) -> None:
        self.plan, self.account, self.owner = plan, account, owner
        self.candidates = candidates
        self.new: Counter[str] = Counter()
        self.phones: dict[str, Phone] = {}

    def store(self, layers: KnownLayers) -> None:
        self._store_phones()
        profiles = self._store_profiles()
        lines = self._store_lines()
        self._store_layers(layers, profiles, lines)

    def _store_phones(self) -> None:
        # Copies: what is stored here may be rolled back, and tried again with other files.
        adopted = [copy(self.candidates[mac].phone) for template in self.plan.templates for mac in template.macs]
        missing = [phone for phone in adopted if phone.pk is None]
        save_recorded([phone for phone in adopted if phone.pk], ["model", "location"])
        self.new["phone"] = len(create_recorded(missing))
        self.phones = {phone.mac: phone for phone in adopted}

    def _store_profiles(self) -> list[PhoneProfile]:
        """A profile for each template, which all of its phones have from now on."""
        templates = self._templates()
        profiles = create_recorded(
            PhoneProfile(
                user=self.owner,
                name=template.name,
                description="Adopted.",
                software_type=planned.software or None,
                source=Source.TEMPLATE,
                template=template,
                render_at=timezone.now(),
            )
            for template, planned in zip(templates, self.plan.templates, strict=True)
        )
        for planned, profile in zip(self.plan.templates, profiles, strict=True):
            phones = [self.phones[mac] for mac in planned.macs]
            keys = [phone.pk for phone in phones]
            former = {phone.current_profile_id for phone in phones} - {None}
            update_recorded(Phone.objects.filter(pk__in=keys, base_profile__in=former), base_profile=profile)
            update_recorded(Phone.objects.filter(pk__in=keys), current_profile=profile)
            for phone in phones:
                phone.current_profile = profile
        return profiles

    def _templates(self) -> list[PhoneTemplate]:
        """The same text is the same template, also if it is there from an earlier time."""
        own = PhoneTemplate.objects.filter(account=self.account)
        names = {name.lower() for name in own.values_list("name", flat=True)}
        known = {template.sha256: template for template in own.defer("text")}
        found = []
        for planned in self.plan.templates:
            template = known.get(hashlib.sha256(planned.text.encode()).hexdigest())
            if template is None:
                template = PhoneTemplate(account=self.account, text=planned.text, description="Adopted.")
                template.name = _free_name(planned.title, names)
                template.save()
                names.add(template.name.lower())
                self.new["template"] += 1
            found.append(template)
        return found

    def _store_lines(self) -> dict[str, Line]:
        wanted = self.plan.lines
        known = {line.extension: line for line in Line.objects.filter(account=self.account) if line.extension in wanted}
        made = create_recorded(_line(line, self.account) for name, line in wanted.items() if name not in known)
        self.new["line"] = len(made)
        return known | {line.extension: line for line in made}

    def _store_layers(self, known: KnownLayers, profiles: Sequence[PhoneProfile], lines: Mapping[str, Line]) -> None:
        layers, secrets = self.plan.layers, self.plan.secrets
        if layers.account:
            self.new["account"] = known.give("account", "", layers.account, secrets)
        shown = {compared: phone.location for compared, phone in self._by_location().items()}
        for location, values in layers.locations.items():
            self.new["location"] += known.give("location", location, values, secrets, name=shown[location])
        for model, values in layers.models.items():
            self.new["model"] += known.give("model", model, values, secrets, name=model)
        of_profiles = [
            self._layer(Layer(kind=Layer.Kind.PROFILE, profile=profile), layers.profiles[number])
            for number, profile in ((str(place), profile) for place, profile in enumerate(profiles))
            if number in layers.profiles
        ]
        self.new["profile"] = len(create_recorded(of_profiles))
        of_phones = [
            self._layer(Layer(kind=Layer.Kind.PHONE, phone=phone), layers.phones.get(mac, {}))
            for mac, phone in self.phones.items()
            if layers.phones.get(mac) or self.plan.phone_lines[mac]
        ]
        create_recorded(of_phones)
        create_recorded(self._uses(of_phones, lines))

    def _layer(self, layer: Layer, values: Mapping[str, str]) -> Layer:
        layer.account = self.account
        put(layer, values, self.plan.secrets)
        return layer

    def _uses(self, layers: Iterable[Layer], lines: Mapping[str, Line]) -> Iterable[LayerLine]:
        for layer in layers:
            assert layer.phone is not None  # noqa: S101 - tells the type checker
            for position, extension in enumerate(self.plan.phone_lines[layer.phone.mac], start=1):
                yield LayerLine(layer=layer, line=lines[extension], position=position)

    def _by_location(self) -> dict[str, Phone]:
        return {phone.location.strip().lower(): phone for phone in self.phones.values()}


def _line(line: LineOf, account: Account) -> Line:
    """A line as it is stored: what is taken from another part when it is empty is not said twice."""
    row = Line(account=account, extension=line.extension, auth_password=line.auth_password)
    row.display_name, row.voicemail = line.display_name, line.voicemail
    row.max_calls, row.busy_trigger = line.max_calls, line.busy_trigger
    row.auth_name = line.auth_name if line.auth_name != line.name else ""
    row.label = line.label if line.label != (line.display_name or line.extension) else ""
    return row


def _free_name(title: str, taken: set[str]) -> str:
    name, number = title[:LONGEST_NAME], 1
    while name.lower() in taken:
        number += 1
        name = f"{title[: LONGEST_NAME - 12]} ({number})"
    return name
