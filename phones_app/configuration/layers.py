"""Layers as people and programs write them: what they are about, and values that the catalogue takes."""

import re
from collections.abc import Collection, Mapping, Sequence

from django.db import transaction

from contacts_app.core.csv.text import has_control_characters
from contacts_app.core.errors import Refusal
from contacts_app.core.history.models import MASK
from phones_app.configuration.layer_rows import family_of
from phones_app.configuration.models import Layer, LayerLine
from profiles_app.phone import sep
from profiles_app.phone.models import Line
from profiles_app.phone.rendering.fragments import check_fragment
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.settings import check_value, find_setting
from profiles_app.phone.rendering.values import Fragment
from profiles_app.phone.sep.comparison import is_secret

VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")
LONGEST_VARIABLE = 4_000
Kind = Layer.Kind
# What says where a layer stands; everything else of these has to be empty.
ABOUT = {
    Kind.PORTAL: (),
    Kind.ACCOUNT: ("account",),
    Kind.LOCATION: ("account", "name"),
    Kind.FAMILY: ("name",),
    Kind.MODEL: ("name",),
    Kind.GROUP: ("account", "group"),
    Kind.PROFILE: ("profile",),
    Kind.PHONE: ("account", "phone"),
}
# Besides, these may have an account.
EITHER = (Kind.FAMILY, Kind.MODEL, Kind.PROFILE)
WITH_LINES = (Kind.GROUP, Kind.PROFILE, Kind.PHONE)


class WrongLayer(Refusal):
    def __init__(self, field: str, text: str) -> None:
        self.fields = {field: [text]}
        super().__init__("wrong-layer", text)


def check_about(layer: Layer) -> None:
    """Exactly what its kind is about is given. A model is stored as the catalogue writes it. Raises WrongLayer."""
    kind = Kind(layer.kind)
    needed = ABOUT[kind]
    for name in ("account", "name", "group", "profile", "phone"):
        value = getattr(layer, f"{name}_id" if name != "name" else name)
        if name in needed and not value:
            raise WrongLayer(name, f"A layer of the kind {kind} needs one.")
        if name not in needed and value and not (name == "account" and kind in EITHER):
            raise WrongLayer(name, f"A layer of the kind {kind} has none.")
    if kind == Kind.MODEL:
        layer.name = sep.catalogue.normalise_model(layer.name)
    families = {model.family for model in sep.catalogue.all_models()}
    if kind == Kind.FAMILY and layer.name not in families:
        known = family_of(layer.name)
        raise WrongLayer("name", f"There is no such family.{f' Is {known} meant?' if known else ''}")


def typed_value(name: str, text: str) -> str:
    """A value as it is stored. Raises ValueError with a sentence for people."""
    if (setting := find_setting(name)) is not None:
        return check_value(setting, text)
    if not VARIABLE.fullmatch(name):
        raise ValueError("A variable is named with letters, digits and underscores, such as door_code.")
    if has_control_characters(text):
        raise ValueError("There is a control character in it.")
    if len(text) > LONGEST_VARIABLE:
        raise ValueError(f"A variable takes {LONGEST_VARIABLE:,} characters at most.")
    return text


def is_always_secret(name: str) -> bool:
    """Whether a value is secret whatever is said of it: passwords, and variables that are called like one."""
    setting = find_setting(name)
    return setting.secret if setting is not None else is_secret(name)


def fill(layer: Layer, values: Mapping[str, str], secret: Collection[str]) -> None:
    """Put values into a layer. What is always secret is, and what `secret` names.

    A mask leaves the secret that is stored as it is, and secret: only a new value can be none. Raises WrongLayer.
    """
    stored, plain, secrets = layer.secrets, dict[str, str](), dict[str, str]()
    for name, text in values.items():
        hides = name in secret or is_always_secret(name)
        if text == MASK and name in stored:
            secrets[name] = stored[name]
            continue
        if text == MASK and hides:
            raise WrongLayer(
                "values", f"{name[:64]}: this is the mask of a secret, and the layer has none of this name."
            )
        try:
            typed = typed_value(name, text)
        except ValueError as error:
            raise WrongLayer("values", f"{name[:64]}: {error}") from None
        (secrets if hides else plain)[name] = typed
    layer.values, layer.secrets = plain, secrets


def check_locks(names: Sequence[str]) -> None:
    """Raises WrongLayer."""
    for name in names:
        if find_setting(name) is None and not VARIABLE.fullmatch(name):
            raise WrongLayer("locks", f"{name[:64]} is the name of no setting and no variable.")


def check_fragments(fragments: Sequence[Mapping[str, str]]) -> None:
    """Raises WrongLayer."""
    for fragment in fragments:
        if not fragment["reason"].strip():
            raise WrongLayer("fragments", f"Say why a fragment is put in at {fragment['path']}.")
        try:
            check_fragment(Fragment(**fragment))
        except RenderRefused as refused:
            raise WrongLayer("fragments", refused.message) from None


def lines_named(layer: Layer, extensions: Sequence[str]) -> list[Line]:
    """The lines of the layer's account, in this order. Raises WrongLayer."""
    if extensions and layer.kind not in WITH_LINES:
        raise WrongLayer("lines", f"A layer of the kind {layer.kind} has no lines.")
    if len(set(extensions)) < len(extensions):
        raise WrongLayer("lines", "A line is there twice.")
    known = {line.extension: line for line in Line.objects.filter(account=layer.account_id, extension__in=extensions)}
    if unknown := [extension for extension in extensions if extension not in known]:
        raise WrongLayer("lines", f"The account has no line {unknown[0][:64]}.")
    return [known[extension] for extension in extensions]


@transaction.atomic
def set_lines(layer: Layer, lines: Sequence[Line]) -> None:
    """These lines in this order, and no others. What stays as it is keeps its history."""
    wanted = {line.pk: position for position, line in enumerate(lines, 1)}
    for use in layer.line_uses.all():
        if wanted.get(use.line_id) == use.position:
            del wanted[use.line_id]
        else:
            use.delete()
    for key, position in wanted.items():
        LayerLine.objects.create(layer=layer, line_id=key, position=position)
