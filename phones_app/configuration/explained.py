"""The values of one phone with where each comes from, for who may see them (configuration spec §1.1)."""

from contacts_app.core.errors import Refusal
from contacts_app.core.history.models import MASK
from phones_app.configuration.gather import Gathered, hidden, layers_of
from phones_app.configuration.layers import is_always_secret
from phones_app.configuration.rendering import render_gathered
from phones_app.inventory.models import Phone
from profiles_app.phone.models import PhoneProfile, is_made
from profiles_app.phone.rendering.render import Rendering
from profiles_app.phone.rendering.settings import find_setting
from profiles_app.phone.rendering.values import Effective, merge


def gathered_for(phone: Phone, profile: PhoneProfile | None = None) -> Gathered:
    """Raises Refusal where the phone has no profile, or one that is a file."""
    gathered = layers_of([phone], profile).get(phone.pk)
    if gathered is None:
        raise Refusal("no-profile", "The phone has no profile.")
    if not is_made(gathered.profile):
        raise Refusal("source-is-file", f"The profile {gathered.profile.name} is a file: it is made from no values.")
    return gathered


def explained(phone: Phone, *, reveal: bool, profile: PhoneProfile | None = None) -> dict[str, object]:
    """Profile, template, values with provenance, lines, and the digest of the file or why there is none.

    Raises Refusal.
    """
    gathered = gathered_for(phone, profile)
    rendering, error = _rendering(gathered)
    values = rendering.values if rendering else merge(gathered.layers)
    used = rendering.used if rendering else frozenset(values)
    return {
        "profile": gathered.profile.name,
        "person_profile": gathered.person_profile.name if gathered.person_profile else None,
        "template": gathered.template.get("name", ""),
        "layers": [layer.label for layer in gathered.layers],
        "values": [_value(name, value, name in used, reveal) for name, value in values.items()],
        "lines": [line.extension for line in gathered.lines],
        "remarks": list(rendering.remarks) if rendering else [],
        "error": error,
    }


def file_for(phone: Phone, *, reveal: bool, profile: PhoneProfile | None = None) -> bytes:
    """The file as it would be made now; without the secrets for who may not see them. Raises Refusal."""
    gathered = gathered_for(phone, profile)
    return render_gathered(gathered if reveal else hidden(gathered)).content


def _rendering(gathered: Gathered) -> tuple[Rendering | None, str]:
    try:
        return render_gathered(gathered), ""
    except Refusal as refusal:
        return None, refusal.message


def _value(name: str, value: Effective, is_used: bool, reveal: bool) -> dict[str, object]:
    setting = find_setting(name)
    is_secret = value.secret or is_always_secret(name)
    return {
        "name": name,
        "label": setting.label if setting else "",
        "value": MASK if is_secret and value.value and not reveal else value.value,
        "secret": is_secret,
        "layer": value.layer,
        "layer_uuid": value.key,
        "hides": list(value.hides),
        "locked_by": value.locked_by,
        "refused": list(value.refused),
        "used": is_used,
    }
