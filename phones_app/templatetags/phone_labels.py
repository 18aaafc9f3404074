"""How states look, in lists and in templates. Pushed is never shown in the colour of applied."""

from datetime import datetime

from django import template
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from contacts_app.templatetags.moments import ago
from phones_app.deployment.models import Deployment, State, StepState
from phones_app.inventory.models import Phone, Presence

register = template.Library()

STATE_COLOURS: dict[str, str] = {
    State.QUEUED: "",
    State.UPLOADING: "info",
    State.UPLOADED: "info",
    State.SESSION_CLEARED: "info",
    State.RESTARTING: "info",
    State.RESTART_ACKNOWLEDGED: "warning",
    State.CONFIRMED: "success",
    State.REJECTED: "danger",
    State.FAILED: "danger",
    State.CANCELLED: "",
    State.SUPERSEDED: "",
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
    # Acknowledged is under way as long as evidence is looked for, and a warning once that was given up.
    if deployment.state == State.RESTART_ACKNOWLEDGED and deployment.is_open:
        return "info"
    if deployment.state == State.UPLOADED and not deployment.is_open:
        return "success"
    return STATE_COLOURS[deployment.state]


def state_label(deployment: Deployment) -> str:
    return render_to_string(
        "unfold/helpers/label.html", {"text": deployment.get_state_display(), "type": colour_of(deployment)}
    )


@register.filter
def deployment_link(deployment: Deployment | None) -> SafeString | str:
    """The state as a coloured label that leads to the deployment, and when it was asked for."""
    if deployment is None:
        return "–"
    url = reverse("admin:phones_app_deployment_change", args=[deployment.pk])
    label = SafeString(state_label(deployment))
    return format_html('<a class="pb-state" href="{}">{} {}</a>', url, label, ago(deployment.created_at))


@register.filter
def presence_label(phone: Phone) -> SafeString:
    """Whether the phone answers, and since when not; on hovering the reason."""
    here = phone.presence == Presence.REACHABLE
    text = "In a call" if here and phone.in_call else phone.get_presence_display()
    label = SafeString(
        render_to_string(
            "unfold/helpers/label.html",
            {
                "text": text,
                "type": "info" if here and phone.in_call else PRESENCE_COLOURS[phone.presence],
                "label_title": phone.look_error,
            },
        )
    )
    moment = phone.last_seen_at if here else phone.presence_since
    return format_html('<span class="pb-state">{} {}</span>', label, ago(moment))


def last_test(tested_at: datetime | None, result: str) -> SafeString | str:
    """How the last test of a connection went, and when."""
    if tested_at is None:
        return "not tested"
    text, colour = ("Failed", "danger") if result else ("OK", "success")
    label = SafeString(
        render_to_string("unfold/helpers/label.html", {"text": text, "type": colour, "label_title": result})
    )
    return format_html('<span class="pb-state">{} {}</span>', label, ago(tested_at))


DIFF_LINES = {"+": "new", "-": "old", "@": "place"}


@register.filter
def diff_lines(diff: str) -> list[tuple[str, str]]:
    """The lines of a unified diff, each with what it is: new, old, place or same. The two names on top are left out."""
    lines = diff.splitlines()
    if diff.startswith("--- "):
        del lines[:2]
    return [(DIFF_LINES.get(line[:1], "same"), line) for line in lines]
