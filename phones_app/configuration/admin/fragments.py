"""The fragments of a layer: XML in the editor of files, and what it does to the file of a phone while it is typed."""

import copy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import render

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.rows import Row, RowsField, RowsWidget, filled, posted_rows
from contacts_app.core.errors import Refusal
from phones_app.configuration.changes import phones_of_layer
from phones_app.configuration.gather import Gathered, hidden, layers_of
from phones_app.configuration.layer_rows import Instead
from phones_app.configuration.models import Layer
from phones_app.configuration.rendering import render_gathered
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.admin.revision import XmlEditor, may_reveal
from profiles_app.phone.rendering.fragments import ACTIONS, check_fragment, xml_fault
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.values import Fragment
from profiles_app.phone.services import findings_of

NAME = "fragment_rows"
LONGEST = {"path": 255, "xml": 20_000, "reason": 255}
LINES = (3, 24)
NOTHING: Row = {}


class FragmentsWidget(RowsWidget):
    """Each row with an editor of its own. `more` names the page that checks what is typed."""

    @property
    def media(self) -> forms.Media:
        return XmlEditor(LINES).media

    def get_context(self, name: str, value: object, attrs: dict[str, object] | None) -> dict[str, object]:
        context = super().get_context(name, value, attrs)
        given: list[Row] = list(value) if isinstance(value, list | tuple) else []
        numbered = [_row(name, str(number), row) for number, row in enumerate(given, 1)]
        more = {"spare": _row(name, "s1", NOTHING), "blank": _row(name, "__new__", NOTHING)}
        return context | {"rows": numbered, "actions": ACTIONS} | more


def _row(name: str, number: str, row: Row) -> dict[str, object]:
    box = f"{name}-{number}"
    editor = XmlEditor(LINES).render(f"{box}-xml", row.get("xml", ""), {"aria-label": "XML", "rows": LINES[0]})
    return {**row, "box": box, "editor": editor}


class FragmentsField(RowsField):
    """XML that is put into the file by hand."""

    def __init__(self) -> None:
        super().__init__("phones_app/configuration/fragments.html", label="Fragments")
        self.widget = FragmentsWidget("phones_app/configuration/fragments.html")

    def clean(self, value: list[Row]) -> list[dict[str, str]]:
        found = []
        for row in _typed(value):
            for name, longest in LONGEST.items():
                if len(row[name]) > longest:
                    raise ValidationError(f"The {name} of a fragment takes {longest:,} characters at most.")
            if fault := _fault(row):
                raise ValidationError(fault["text"])
            if not row["reason"]:
                raise ValidationError(f"Say why a fragment is put in at {row['path']}.")
            found.append({name: row[name].strip() for name in ("path", "action", "xml", "reason")})
        return found


def _typed(rows: list[Row]) -> list[Row]:
    """Those that say something, each with the name of its row, and its XML line for line as in the editor.

    Browsers end lines with CRLF, which would come into files that have none.
    """
    return [
        {name: row.get(name, "").strip() for name in ("#", "path", "action", "reason")}
        | {"xml": row.get("xml", "").replace("\r\n", "\n")}
        for row in filled(rows, "path", "xml")
        if not row.get("remove")
    ]


def _fault(row: Row) -> dict[str, Any]:
    """Why the fragment can be put into no file, and where in its XML; empty: it can."""
    try:
        check_fragment(_fragment(row))
    except RenderRefused as refused:
        told: dict[str, Any] = {"text": refused.message[:1].upper() + refused.message[1:]}
        # What is deleted needs no XML, so that nothing is wrong with it.
        fault = xml_fault(row["xml"]) if row["action"] != "delete" else None
        return told | ({"box": f"{NAME}-{row['#']}-xml", "line": fault.line, "column": fault.column} if fault else {})
    return {}


def _fragment(row: Row) -> Fragment:
    return Fragment(row["path"], row["action"], row["xml"], row["reason"])


class FragmentPages(PortalAdmin):
    """For the admin of layers: the page that the editors ask, whose answer stands below them. Nothing is stored."""

    pages = {"fragments": "fragments/"}

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        if field := form.base_fields.get(NAME):
            field.widget.more = {"check_url": self.url_of("fragments") + (f"?layer={obj.pk}" if obj else "")}
        return form

    def fragments_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, "phones_app.view_layer")
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        key = request.GET.get("layer", "")
        layer: Layer | None = self.row_or_404(request, key) if key else None
        rows = _typed(posted_rows(request.POST, NAME))
        faults = [fault for row in rows if (fault := _fault(row))]
        context: dict[str, object] = {"faults": faults, "marks": [_mark(fault) for fault in faults if "line" in fault]}
        if rows and not faults and layer is not None and request.user.has_perm("phones_app.view_phone"):
            context |= self._on_a_phone(request, layer, [_fragment(row) for row in rows])
        return render(request, "phones_app/configuration/fragments_checked.html", context | {"number": len(rows)})

    def _on_a_phone(self, request: HttpRequest, layer: Layer, fragments: list[Fragment]) -> dict[str, object]:
        """What they do to the file of the layer's first phone, and what the checker says of it then."""
        phone = actor_of(request).sees(phones_of_layer(layer).defer("web_password")).order_by("mac").first()
        if phone is None:
            return {}
        told: dict[str, object] = {"phone": phone}
        try:
            without, made = (_made(request, phone, layer, each) for each in ([], fragments))
        except Refusal as refusal:
            return told | {"problem": refusal.message}
        known = {finding.message for finding in _findings(without, phone)}
        new = [finding for finding in _findings(made, phone) if finding.message not in known]
        return told | {"findings": new, "difference": sep.diff(without, made)}


def _mark(fault: dict[str, Any]) -> dict[str, object]:
    """As the editor takes it, which counts from 0."""
    place = {"row": fault["line"] - 1, "column": fault["column"] - 1}
    return {"box": fault["box"], **place, "text": fault["text"], "type": "error"}


def _made(request: HttpRequest, phone: Phone, layer: Layer, fragments: list[Fragment]) -> bytes:
    """The phone's file with these fragments in the layer; without secrets for who may not see them."""
    changed = copy.copy(layer)
    changed.fragments = [vars(fragment) for fragment in fragments]
    gathered: Gathered = layers_of([phone], instead=Instead(layer=changed))[phone.pk]
    return render_gathered(gathered if may_reveal(request) else hidden(gathered)).content


def _findings(content: bytes, phone: Phone) -> list[sep.Finding]:
    return list(findings_of(content, model=phone.model, software_type=phone.software_type))
