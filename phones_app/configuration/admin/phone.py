"""The configuration of a phone: its values with the layers that they come from, its file, and what differs from the file
that it has. A value is changed at the layer of one's choice.
"""

import copy
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from unfold.decorators import action

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.links import page_of
from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import because
from phones_app.configuration.admin.confirm import CONFIRMED, KEPT, question, restore
from phones_app.configuration.admin.values import ValueRow as ShownValue
from phones_app.configuration.admin.values import in_groups, settings_by_group
from phones_app.configuration.effect import what_changes
from phones_app.configuration.gather import Gathered, hidden, layers_of
from phones_app.configuration.layer_rows import label_of
from phones_app.configuration.layers import VARIABLE, is_always_secret, typed_value
from phones_app.configuration.models import Layer
from phones_app.configuration.places import LayerPlace, places_of
from phones_app.configuration.rendering import NotRendered, render_gathered
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.admin.revision import file_lines, may_reveal, record_look
from profiles_app.phone.models import is_made
from profiles_app.phone.rendering.settings import find_setting
from profiles_app.phone.rendering.values import Effective, merge
from profiles_app.phone.services import findings_of

HIDDEN = "••••••••"


@dataclass(frozen=True)
class EffectiveRow(ShownValue):
    """A value that counts, with where it comes from."""

    effective: Effective | None = None
    place: str = ""


class ConfigurationPages(PortalAdmin):
    """What the admin of phones has about the data that a phone's file is made from."""

    pages = {"configuration": "<int:pk>/configuration/"}

    def has_configuration_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return request.user.has_perm("phones_app.view_layer")

    @action(description="Configuration…", icon="tune", permissions=["configuration"])
    def configuration_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("configuration", self.row_or_404(request, object_id).pk))

    def configuration_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.require(request, "phones_app.view_layer")
        self.require(request, "phones_app.view_phone")
        phone: Phone = self.row_or_404(request, pk)
        if request.method == "POST":
            return self._set(request, phone)
        if request.method != "GET":
            return HttpResponseNotAllowed(["GET", "POST"])
        return self.page(
            request, "phones_app/configuration/phone.html", f"Configuration of {phone}", **self._shown(request, phone)
        )

    def _shown(self, request: HttpRequest, phone: Phone) -> dict[str, object]:
        profile = phone.current_profile
        told: dict[str, object] = {
            "phone": phone,
            "profile": profile,
            "made": is_made(profile),
            "revealed": may_reveal(request),
        }
        gathered = layers_of([phone]).get(phone.pk)
        if gathered is None or not is_made(profile):
            return told
        places = places_of(phone, profile)
        by_key = {str(place.layer.uuid): place for place in places if place.layer}
        rows = [_row(name, one, by_key) for name, one in merge(gathered.layers).items()]
        return (
            told
            | self._edited(request, phone, rows, places)
            | _file(request, phone, gathered)
            | {
                "groups": in_groups(rows),
                "known": settings_by_group(),
                "places": places,
                "phone_lines": gathered.lines,
                "own_layer_url": self._own_layer_url(request, phone, places[-1]),
                "configuration": getattr(phone, "configuration", None),
                "may_deploy": bool(getattr(self, "has_deploy_permission", lambda _: False)(request)),
            }
        )

    def _edited(
        self, request: HttpRequest, phone: Phone, rows: list[EffectiveRow], places: list[LayerPlace]
    ) -> dict[str, object]:
        """The value that is to be changed, with the layers at which this person may."""
        name = request.GET.get("edit", "")
        if not name:
            return {}
        setting = find_setting(name)
        if setting is None and not VARIABLE.fullmatch(name):
            raise Http404(f"There is no setting {name[:50]}.")
        row = next((row for row in rows if row.name == name), None) or EffectiveRow("0", name, setting=setting)
        offered = [place for place in places if self._may_change(request, place)]
        keys = [place.key for place in offered]
        # What is new begins at the phone: a change at the portal is one of every account's phones.
        chosen = row.place if row.place in keys else keys[-1] if keys else ""
        return {"edited": row, "offered": offered, "chosen": chosen}

    def _own_layer_url(self, request: HttpRequest, phone: Phone, place: LayerPlace) -> str:
        """The page of the phone's own layer, where it gets lines and keys; "" for who may not change it."""
        if not self._may_change(request, place):
            return ""
        pages: Any = self.admin_site.get_model_admin(Layer)
        return page_of(place.layer) if place.layer else f"{pages.url_of('add')}?kind=phone&phone={phone.pk}"

    def _may_change(self, request: HttpRequest, place: LayerPlace) -> bool:
        pages: Any = self.admin_site.get_model_admin(Layer)
        layer = place.own_layer()
        if place.layer is None and not pages.has_add_permission(request):
            return False
        return bool(pages.has_change_permission(request, layer))

    def _set(self, request: HttpRequest, phone: Phone) -> HttpResponse:
        """Give the value at a layer, or take it away there, after the question where files change."""
        confirmed = KEPT in request.POST
        if confirmed:
            restore(request)
        here = self.url_of("configuration", phone.pk)
        if confirmed and CONFIRMED not in request.POST:
            return HttpResponseRedirect(f"{here}?edit={request.POST.get('name', '')}")
        name, wanted = request.POST.get("name", ""), request.POST.get("place", "")
        place = next((each for each in places_of(phone, phone.current_profile) if each.key == wanted), None)
        if place is None:
            raise Http404("The phone has no such layer.")
        if not self._may_change(request, place):
            raise PermissionDenied
        try:
            before, after = place.own_layer(), _with(place, name, request)
        except ValueError as refused:
            messages.error(request, str(refused))
            return HttpResponseRedirect(f"{here}?edit={name}")
        changed = what_changes(before, after, reveal=may_reveal(request))
        setting, removes = find_setting(name), "remove" in request.POST
        shown = setting.label if setting else name
        if removes and name not in (*before.values, *before.secrets, *before.locks):
            messages.info(request, f"{place.label} has no value for {shown}.")
            return HttpResponseRedirect(here)
        if not changed.is_nothing and not confirmed:
            return question(self, request, f"{'Remove' if removes else 'Save'} {shown} at {place.label}?", changed)
        try:
            with transaction.atomic(), because(request.POST.get("_reason", "")):
                # Somebody else may have given it other values meanwhile, which stay.
                stored = Layer.objects.select_for_update().filter(pk=before.pk).first()
                after = _with(replace(place, layer=stored), name, request)
                after.save()
        except IntegrityError:
            messages.error(request, f"Somebody else has just made a layer of {place.label}. Nothing is saved.")
            return HttpResponseRedirect(f"{here}?edit={name}")
        messages.success(request, f"{shown} is {'removed' if removes else 'saved'} at {place.label}.")
        self._tell_lock(request, phone, name, after)
        if not changed.is_nothing:
            pages: Any = self.admin_site.get_model_admin(Layer)
            pages.saved(request, after)
        return HttpResponseRedirect(here)

    def _tell_lock(self, request: HttpRequest, phone: Phone, name: str, layer: Layer) -> None:
        """A value that a weaker layer's lock refuses is kept, and changes no file."""
        gathered = layers_of([phone]).get(phone.pk)
        counts = merge(gathered.layers).get(name) if gathered else None
        if counts is not None and label_of(layer) in counts.refused:
            messages.warning(request, f"It has no effect: {counts.locked_by} locks the value.")


def _row(name: str, one: Effective, by_key: dict[str, LayerPlace]) -> EffectiveRow:
    setting = find_setting(name)
    secret = one.secret or is_always_secret(name)
    place = by_key.get(one.key)
    shown = HIDDEN if secret else one.value
    return EffectiveRow(
        name, name, shown, one.locked, secret, secret, setting=setting, effective=one, place=place.key if place else ""
    )


def _with(place: LayerPlace, name: str, request: HttpRequest) -> Layer:
    """The layer of a place with one value changed. Raises ValueError with a sentence for people."""
    layer = copy.copy(place.own_layer())
    values, secrets, locks = dict(layer.values), layer.secrets, [lock for lock in layer.locks if lock != name]
    if "remove" in request.POST:
        values.pop(name, None)
        secrets.pop(name, None)
    else:
        secret = name in secrets or is_always_secret(name) or "secret" in request.POST
        given = request.POST.get("value", "")
        text = secrets[name] if secret and not given and name in secrets else typed_value(name, given)
        (secrets if secret else values)[name] = text
        if secret:
            values.pop(name, None)
        if "lock" in request.POST:
            locks.append(name)
    layer.values, layer.locks = values, locks
    layer.secrets = secrets
    return layer


def _file(request: HttpRequest, phone: Phone, gathered: Gathered) -> dict[str, object]:
    """The file as it would be made now, what the checker says, and the difference from the one that the phone has."""
    if not may_reveal(request):
        gathered = hidden(gathered)
    try:
        made = render_gathered(gathered)
    except NotRendered as refused:
        return {"problem": refused.message}
    except Refusal as refusal:
        return {"problem": refusal.message}
    record_look(request, phone, "the file that would be made")
    findings = findings_of(made.content, model=phone.model, software_type=phone.software_type)
    told: dict[str, object] = {
        "findings": findings,
        "lines": file_lines(request, made.content, findings),
        "remarks": made.remarks,
    }
    present = getattr(phone, "file", None)
    if present is None or present.revision is None:
        return told
    # What somebody has put in its place is on the server, else what was uploaded last.
    there = bytes(present.found or present.revision.content)
    told |= {"present": present, "same": there == made.content and may_reveal(request)}
    if there != made.content:
        told["difference"] = sep.diff(there, made.content)
    return told
