"""What files of the demo are made from: a template, layers, lines and keys, as demo.toml has them."""

from collections.abc import Iterable, Mapping

from contacts_app.accounts.models import Account
from contacts_app.people.models import User
from phones_app.configuration.layers import check_about, check_locks, fill, set_lines
from phones_app.configuration.models import Layer
from phones_app.demo.files import KEY_LAYOUTS, LAYERS, TEMPLATES, DemoLayer, DemoLine
from phones_app.inventory.models import Phone
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, PhoneTemplate

# What a layer says with an address of the portal, by the setting.
PATHS = {name: value for layer in LAYERS for name, value in layer.values.items() if value.startswith("/")}


def make_templates(account: Account) -> dict[str, PhoneTemplate]:
    return {
        template.name: PhoneTemplate.objects.create(
            account=account, name=template.name, description=template.description, text=template.text
        )
        for template in TEMPLATES
    }


def make_layers(account: Account, url: str) -> None:
    """Those of places and models."""
    for layer in LAYERS:
        if not layer.profile:
            _layer(layer, url, account=account, name=layer.name)


def make_profile_layers(account: Account, url: str, profiles: Mapping[str, PhoneProfile]) -> None:
    layouts = {
        layout.name: KeyLayout.objects.create(
            account=account,
            name=layout.name,
            description=layout.description,
            keys=[{"module": 0, "line": None, "target": "", "label": "", **key} for key in layout.keys],
        )
        for layout in KEY_LAYOUTS
    }
    for layer in LAYERS:
        if layer.profile:
            layout = layouts.get(layer.key_layout)
            _layer(layer, url, account=account, profile=profiles[layer.profile], key_layout=layout)


def _layer(layer: DemoLayer, url: str, **about: object) -> None:
    row = Layer(kind=layer.kind, locks=list(layer.locks), **about)
    check_about(row)
    check_locks(layer.locks)
    fill(row, {name: _with_address(value, url) for name, value in layer.values.items()}, ())
    row.save()


def _with_address(value: str, url: str) -> str:
    return url.rstrip("/") + value if value.startswith("/") else value


def give_lines(lines: Iterable[DemoLine], *, user: User | None = None, phone: Phone | None = None) -> None:
    """Lines of a person, which come to the phones with the person's profile, or those of a phone."""
    account = phone.account if phone else user.account if user else None
    rows = []
    for line in lines:
        values = {"auth_password": f"not-secret-{line.number}", "label": line.label, "display_name": line.label}
        row, _ = Line.objects.get_or_create(
            account=account, extension=line.number, defaults=values | {"user": user, "voicemail": "*97"}
        )
        rows.append(row)
    if phone is not None and rows:
        layer = Layer.objects.create(kind=Layer.Kind.PHONE, account=account, phone=phone)
        set_lines(layer, rows)


def layers_elsewhere(account: Account, url: str) -> list[Layer]:
    """Unsaved: layers that lead to another address of the portal, with this one, unless people have changed them."""
    found = []
    for layer in Layer.objects.filter(account=account):
        own = {name: path for name, path in PATHS.items() if layer.values.get(name, "").endswith(path)}
        values = layer.values | {name: _with_address(path, url) for name, path in own.items()}
        if values != layer.values:
            layer.values = values
            found.append(layer)
    return found
