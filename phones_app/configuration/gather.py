"""What the files of phones are made from: template, layers, lines and keys, read for many phones in a few queries.

A phone's profile says which template. Where the phone has a base profile that is made from data and another such profile
comes to it, the latter is a person's: the file is the device's with the person's part in it (mobility spec §5.4).
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from django.conf import settings

from contacts_app.core.errors import Refusal
from contacts_app.core.history.models import MASK
from contacts_app.core.lists.among import among
from phones_app.configuration.layer_rows import AS_STORED, Instead, LayersOfPhones, version_of
from phones_app.configuration.models import Layer
from phones_app.configuration.shared_versions import shared_versions
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, PhoneTemplate, Source, is_made
from profiles_app.phone.rendering.built_in import built_in_for
from profiles_app.phone.rendering.settings import personal
from profiles_app.phone.rendering.values import DeviceOf, KeyOf, LayerOf, LineOf, merge_person

# Of the layers with lines the strongest counts: the phone's, the profile's, then the owner's lines, then a group's.

# The setting that says which firmware a phone is to run.
LOAD = "load"
BEFORE_THE_OWNER = (Layer.Kind.PHONE, Layer.Kind.PROFILE)


@dataclass(frozen=True)
class Gathered:
    """All that one phone's file is made from. `refusal` says why it cannot be made, as far as that is known before."""

    device: DeviceOf
    profile: PhoneProfile
    person_profile: PhoneProfile | None = None
    layers: tuple[LayerOf, ...] = ()
    lines: tuple[LineOf, ...] = ()
    keys: tuple[KeyOf, ...] = ()
    text: str = field(default="", repr=False)
    # Name, UUID and digest of the template, and the moment of the last change of each layer, by its key.
    template: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    refusal: Refusal | None = None

    @property
    def stored_for(self) -> PhoneProfile:
        """The profile that the rendering is a revision of: the one that was asked for."""
        return self.person_profile or self.profile


def profiles_for(phones: Iterable[Phone]) -> dict[int, PhoneProfile]:
    """The profiles of these phones by their keys, with owner, template and revision, but without any file."""
    own = {key for phone in phones for key in (phone.current_profile_id, phone.base_profile_id) if key}
    if not own:
        return {}
    rows = PhoneProfile.objects.filter(pk__in=among(list(own)))
    rows = rows.select_related("user", "template", "revision").defer("revision__content")
    return {profile.pk: profile for profile in rows}


def layers_of(
    phones: Sequence[Phone],
    profile: PhoneProfile | None = None,
    person_profile: PhoneProfile | None = None,
    *,
    instead: Instead = AS_STORED,
) -> Mapping[int, Gathered]:
    """What the file of each phone is made from with this profile; None: with its own. Phones without one are left out.

    `instead` has rows as they are to be. The number of queries does not depend on that of the phones.
    """
    known = profiles_for(phones)
    given = [each for each in (profile, person_profile) if each is not None]
    known |= {each.pk: each for each in given}
    parts = {phone.pk: _parts(phone, profile, person_profile, known) for phone in phones}
    used = {each for pair in parts.values() for each in pair if each is not None}
    rows = LayersOfPhones(phones, [each.pk for each in used], instead)
    owned = _owned_lines({phone.account_id for phone in phones}, used)
    found = {}
    for phone in phones:
        device, person = parts[phone.pk]
        if device is not None:
            found[phone.pk] = _gathered(phone, device, person, rows, owned, instead)
    accounts = {phone.pk: phone.account_id for phone in phones}
    return _with_versions(_with_names(found, accounts), accounts)


def _parts(
    phone: Phone, profile: PhoneProfile | None, person: PhoneProfile | None, known: Mapping[int, PhoneProfile]
) -> tuple[PhoneProfile | None, PhoneProfile | None]:
    """The profile of the device, and that of the person whose part comes into it."""
    profile = profile or known.get(phone.current_profile_id or 0)
    base = known.get(phone.base_profile_id or 0)
    if person is None and base is not None and profile != base and is_made(base) and is_made(profile):
        return base, profile
    return profile, person


Owned = Mapping[tuple[int, int], Sequence[Line]]


def _owned_lines(accounts: Iterable[int], profiles: Iterable[PhoneProfile]) -> Owned:
    """The lines of the profiles' owners, by account and owner."""
    found: defaultdict[tuple[int, int], list[Line]] = defaultdict(list)
    if owners := list({profile.user_id for profile in profiles}):
        rows = Line.objects.filter(user__in=among(owners), account__in=list(accounts))
        for line in rows.order_by("extension", "pk"):
            found[line.account_id, line.user_id or 0].append(line)
    return found


def _gathered(
    phone: Phone,
    profile: PhoneProfile,
    person: PhoneProfile | None,
    rows: LayersOfPhones,
    owned: Owned,
    instead: Instead,
) -> Gathered:
    layers = rows.of(phone, profile)
    lines, layout = _lines(phone, profile, layers, rows, owned), _layout(phone, layers, rows)
    modules = layout.modules if layout else ()
    values: Sequence[LayerOf] = [of_the_product(settings.PHONE_SERVICES_URL), *map(rows.read, layers)]
    if person is not None:
        # A person without lines or keys has those of the device.
        of_person = [layer for layer in rows.of(phone, person) if layer.profile_id == person.pk]
        values = merge_person(values, [rows.read(layer) for layer in of_person], personal())
        lines = _lines(phone, person, of_person, rows, owned) or lines
        layout = _layout(phone, of_person, rows) or layout
        layers = [*layers, *of_person]
    if load := instead.loads.get(phone.pk):
        values = [*values, LayerOf(kind=Layer.Kind.PHONE, label="rollout of firmware", values={LOAD: load})]
    software = _software(phone, profile)
    text, template, refusal = _template(phone, profile, software, instead.template)
    return Gathered(
        device=device_of(phone, software, modules),
        profile=profile,
        person_profile=person,
        layers=tuple(values),
        lines=tuple(map(line_of, lines)),
        keys=tuple(key_of(key) for key in layout.keys) if layout else (),
        text=text,
        template=template,
        versions={str(layer.uuid): version_of(layer) for layer in layers},
        refusal=refusal,
    )


@cache
def of_the_product(url: str) -> LayerOf:
    """The weakest layer: phones find the services of this portal, and ask it whether they may be pushed to."""
    services = f"{url}/cisco/services"
    return LayerOf(
        kind="portal",
        label="Patchbay",
        values={
            "authentication_url": f"{services}/authenticate",
            "directory_url": f"{services}/dir?device=#DEVICENAME#",
            "services_url": f"{services}/dir?device=#DEVICENAME#",
        },
    )


def _lines(
    phone: Phone, profile: PhoneProfile, layers: Sequence[Layer], rows: LayersOfPhones, owned: Owned
) -> Sequence[Line]:
    account = phone.account_id
    strong = [layer for layer in reversed(layers) if layer.kind in BEFORE_THE_OWNER]
    groups = [layer for layer in reversed(layers) if layer.kind == Layer.Kind.GROUP]
    choices = [rows.lines(layer, account) for layer in strong]
    choices.append(list(owned.get((account, profile.user_id), ())))
    choices += [rows.lines(layer, account) for layer in groups]
    return next(filter(None, choices), [])


def _layout(phone: Phone, layers: Sequence[Layer], rows: LayersOfPhones) -> KeyLayout | None:
    layouts = (rows.layout(layer, phone.account_id) for layer in reversed(layers))
    return next((layout for layout in layouts if layout is not None), None)


def line_of(line: Line) -> LineOf:
    """A row as the renderer takes it: what is empty is taken from another part."""
    return LineOf(
        extension=line.extension,
        auth_name=line.auth_name or line.peer,
        auth_password=line.auth_password,
        display_name=line.display_name,
        label=line.shown,
        voicemail=line.voicemail,
        max_calls=line.max_calls,
        busy_trigger=line.busy_trigger,
        name=line.peer,
    )


def key_of(key: Mapping[str, Any]) -> KeyOf:
    """A key of a layout, which is stored as an object."""
    return KeyOf(
        module=int(key.get("module") or 0),
        position=int(key["position"]),
        kind=str(key["kind"]),
        line=int(key["line"]) if key.get("line") else None,
        target=str(key.get("target") or ""),
        label=str(key.get("label") or ""),
        options=key.get("options") or {},
    )


def _software(phone: Phone, profile: PhoneProfile) -> str:
    """SIP or SCCP: what the phone is said to run, else what the profile is for, else the only one of its model."""
    said = phone.software_type or profile.software_type or sep.catalogue.software_of_load(phone.software_version)
    if not said and (model := sep.catalogue.find(phone.model)):
        said = next(iter(model.protocols)) if len(model.protocols) == 1 else None
    return "SCCP" if said == "SCCP" else "SIP"


def device_of(phone: Phone, software: str, modules: Sequence[str] = ()) -> DeviceOf:
    """A phone as the renderer takes it."""
    return DeviceOf(
        mac=phone.mac,
        model=sep.catalogue.normalise_model(phone.model),
        software=software,
        name=phone.name,
        location=phone.location,
        load=phone.software_version,
        emergency_number=phone.emergency_number,
        modules=tuple(modules),
    )


def _template(
    phone: Phone, profile: PhoneProfile, software: str, changed: PhoneTemplate | None
) -> tuple[str, dict[str, str], Refusal | None]:
    if profile.source == Source.TEMPLATE:
        template = changed if changed is not None and changed.pk == profile.template_id else profile.template
        if template is None:
            return "", {}, Refusal("no-template", f"The profile {profile.name} has no template.")
        if template.account_id not in (None, phone.account_id):
            return "", {}, Refusal("another-account", "The template and the phone belong to different accounts.")
        return template.text, {"name": template.name, "uuid": str(template.uuid), "sha256": template.sha256}, None
    built_in = built_in_for(phone.model, software)
    if built_in is None:
        model = phone.model or "phone of unknown model"
        return "", {}, Refusal("no-built-in", f"There is no built-in template for a {model} with {software} software.")
    return built_in.text, {"name": built_in.name, "uuid": "", "sha256": _digest(built_in.text)}, None


@cache
def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _with_names(found: dict[int, Gathered], accounts: Mapping[int, int]) -> dict[int, Gathered]:
    """Keys that call an extension of the account and have no label are called as its line."""
    called = {
        (accounts[phone], key.target) for phone, gathered in found.items() for key in gathered.keys if is_unnamed(key)
    }
    if not called:
        return found
    rows = Line.objects.filter(account__in={account for account, _ in called})
    rows = rows.filter(extension__in=among([target for _, target in called])).defer("auth_password")
    names = {(line.account_id, line.extension): line.shown for line in rows}
    return {
        phone: replace(gathered, keys=tuple(_named(key, names, accounts[phone]) for key in gathered.keys))
        for phone, gathered in found.items()
    }


def _with_versions(found: dict[int, Gathered], accounts: Mapping[int, int]) -> dict[int, Gathered]:
    asking = {phone: (accounts[phone], one.device, one.layers) for phone, one in found.items()}
    versions = shared_versions(asking)
    return found | {
        phone: replace(found[phone], layers=(layer, *found[phone].layers)) for phone, layer in versions.items()
    }


def is_unnamed(key: KeyOf) -> bool:
    """Whether the label of a key is that of whom it calls."""
    return bool(key.target) and not key.label


def _named(key: KeyOf, names: Mapping[tuple[int, str], str], account: int) -> KeyOf:
    name = names.get((account, key.target)) if is_unnamed(key) else None
    return replace(key, label=name) if name else key


def hidden(gathered: Gathered) -> Gathered:
    """The same with a mask for each secret, for who may not see them, whatever a template does with them."""
    layers = (replace(layer, values={**layer.values, **dict.fromkeys(layer.secret, MASK)}) for layer in gathered.layers)
    lines = (replace(line, auth_password=MASK if line.auth_password else "") for line in gathered.lines)
    return replace(gathered, layers=tuple(layers), lines=tuple(lines))
