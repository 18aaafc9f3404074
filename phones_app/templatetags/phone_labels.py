"""How states look, in lists and in templates. Pushed is never shown in the colour of applied."""

from datetime import datetime

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from contacts_app.core.admin.links import label, page_of
from contacts_app.templatetags.moments import ago
from phones_app.deployment.models import Deployment, State, StepState
from phones_app.deployment.outcome import own_phone
from phones_app.inventory.models import Phone, Presence

register = template.Library()
register.filter(own_phone)

STATE_COLOURS: dict[str, str] = {
    **dict.fromkeys((State.QUEUED, State.CANCELLED, State.SUPERSEDED), ""),
    **dict.fromkeys((State.UPLOADING, State.UPLOADED, State.SESSION_CLEARED, State.RESTARTING), "info"),
    State.RESTART_ACKNOWLEDGED: "warning",
    State.CONFIRMED: "success",
    **dict.fromkeys((State.REJECTED, State.FAILED), "danger"),
}
PRESENCE_COLOURS: dict[str, str] = {
    Presence.NEVER: "",
    Presence.REACHABLE: "success",
    Presence.UNREACHABLE: "danger",
    Presence.ANOTHER: "warning",
}
STEP_ICONS: dict[str, str] = {
    "": "radio_button_unchecked",
    StepState.RUNNING: "progress_activity",
    StepState.WAITING: "hourglass_top",
    StepState.DONE: "check_circle",
    StepState.FAILED: "error",
    StepState.SKIPPED: "remove_circle_outline",
}


def colour_of(deployment: Deployment) -> str:
    # Acknowledged is under way as long as evidence is looked for, and a warning once the search has ended.
    if deployment.state == State.RESTART_ACKNOWLEDGED and deployment.is_open:
        return "info"
    if deployment.state == State.UPLOADED and not deployment.is_open:
        return "success"
    return STATE_COLOURS[deployment.state]


def state_label(deployment: Deployment) -> SafeString:
    return label(deployment.get_state_display(), colour_of(deployment))


@register.filter
def deployment_link(deployment: Deployment | None) -> SafeString | str:
    """The state as a coloured label that leads to the deployment, and when it was asked for."""
    if deployment is None:
        return "–"
    shown = page_of(deployment), state_label(deployment), ago(deployment.created_at)
    return format_html('<a class="pb-state" href="{}">{} {}</a>', *shown)


@register.filter
def presence_label(phone: Phone) -> SafeString:
    """Whether the phone answers, and since when not; on hovering the reason."""
    here = phone.presence == Presence.REACHABLE
    text, colour = phone.get_presence_display(), PRESENCE_COLOURS[phone.presence]
    if here and phone.in_call:
        text, colour = "In a call", "info"
    moment = phone.last_seen_at if here else phone.presence_since
    return _dated(label(text, colour, phone.look_error), moment)


def last_test(tested_at: datetime | None, result: str) -> SafeString | str:
    """How the last test of a connection went, and when."""
    if tested_at is None:
        return "not tested"
    text, colour = ("Failed", "danger") if result else ("OK", "success")
    return _dated(label(text, colour, result), tested_at)


def _dated(shown: SafeString, moment: datetime | None) -> SafeString:
    return format_html('<span class="pb-state">{} {}</span>', shown, ago(moment))


DIFF_LINES = {"+": "new", "-": "old", "@": "place"}


@register.filter
def diff_lines(diff: str) -> list[tuple[str, str]]:
    """The lines of a unified diff, each with what it is: new, old, place or same. The two names on top are left out."""
    lines = diff.splitlines()
    if diff.startswith("--- "):
        del lines[:2]
    return [(DIFF_LINES.get(line[:1], "same"), line) for line in lines]
