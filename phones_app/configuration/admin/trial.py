"""What a template makes of one phone, before it is stored: the file, or why there is none."""

from dataclasses import replace

from django.http import HttpRequest

from contacts_app.core.errors import Refusal
from phones_app.configuration.gather import Gathered, hidden, layers_of
from phones_app.configuration.rendering import NotRendered, render_gathered
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.admin.revision import file_lines, may_reveal, record_look
from profiles_app.phone.models import PhoneProfile, Source
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import names_of
from profiles_app.phone.rendering.settings import find_setting
from profiles_app.phone.rendering.values import merge
from profiles_app.phone.services import findings_of


def gathered_for(request: HttpRequest, phone: Phone, text: str) -> Gathered:
    """What the phone's file would be made from with this text; without secrets for who may not see them."""
    gathered = layers_of([phone]).get(phone.pk)
    if gathered is None:
        # A phone that has no profile has the layers of its place all the same.
        nobodys = PhoneProfile(pk=0, user_id=request.user.pk or 0, name="", source=Source.TEMPLATE)
        gathered = layers_of([phone], nobodys)[phone.pk]
    gathered = replace(gathered, text=text, refusal=None)
    return gathered if may_reveal(request) else hidden(gathered)


def _missing(names: frozenset[str], gathered: Gathered) -> list[str]:
    """The names that the text reads and nothing gives a value."""
    given = merge(gathered.layers)
    return sorted(
        name for name in names - given.keys() if (setting := find_setting(name)) is None or setting.default is None
    )


def trial_of(request: HttpRequest, phone: Phone | None, text: str) -> dict[str, object]:
    """For the template of `tried.html`."""
    told: dict[str, object] = {"phone": phone, "revealed": may_reveal(request), "marks": []}
    try:
        names = names_of(text)
        if phone is None:
            return told
        gathered = gathered_for(request, phone, text)
        told["missing"] = _missing(names, gathered)
        told["asked"] = [layer.label for layer in reversed(gathered.layers)]
        made = render_gathered(gathered)
    except NotRendered as refused:
        return told | _problem(refused.message, refused.line)
    except RenderRefused as refused:
        return told | _problem(refused.message, refused.line)
    except Refusal as refusal:
        return told | _problem(refusal.message, None)
    record_look(request, phone, "the file that would be made")
    findings = findings_of(made.content, model=phone.model, software_type=phone.software_type)
    return told | {
        "findings": findings,
        "lines": file_lines(request, made.content, findings),
        "remarks": made.remarks,
        "fine": not any(finding.severity is sep.Severity.ERROR for finding in findings),
    }


def _problem(message: str, line: int | None) -> dict[str, object]:
    marks = [{"row": line - 1, "column": 0, "text": message, "type": "error"}] if line else []
    return {
        "problem": message.partition(": ")[2] if line and message.startswith("line ") else message,
        "line": line,
        "marks": marks,
    }
