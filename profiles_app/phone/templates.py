"""Templates: what is checked before one is stored, and who may change its text (configuration spec §1)."""

from typing import Any

from django.core.exceptions import PermissionDenied

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneTemplate
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import names_of
from profiles_app.phone.services import visible_xml


def check_template(text: str) -> frozenset[str]:
    """The names that a template reads from outside. Raises Refusal where nothing can be made of its text."""
    try:
        sep.encode(text)
        return names_of(text)
    except RenderRefused as refused:
        fault, message = refused.code, str(refused)
    except sep.Refused as refused:
        fault, message = refused.code, refused.message if refused.line is None else f"line {refused.line}: {refused}"
    refusal = Refusal(fault, message)
    refusal.fields = {"text": [message]}
    raise refusal


def template_unless_masked(template: PhoneTemplate, actor: Actor, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a change, without a text that came back as it was shown.

    Who is not shown passwords cannot edit a text that may have some, as a profile's file. Raises PermissionDenied.
    """
    if "text" not in values or actor.reveals:
        return values
    if values["text"] != visible_xml(template.text, actor):
        raise PermissionDenied("Changing a text that may have passwords needs the permission to see them")
    return {name: value for name, value in values.items() if name != "text"}
