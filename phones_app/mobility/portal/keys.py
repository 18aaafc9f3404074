"""The page on which people set the keys of their phone: look, try, apply, undo (portal spec §2)."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from contacts_app.core.errors import Refusal
from phones_app.mobility.own_keys import (
    OWN_SETTINGS,
    OwnKey,
    OwnKeys,
    apply_own,
    changed_keys,
    foreseen,
    own_keys_of,
    save_own,
    undo,
    undoable,
)
from phones_app.mobility.portal.phones import PHONES, SET_KEYS, PhoneShown, own_phones
from profiles_app.myaccount.portal.pages import PortalRequest, show
from profiles_app.myaccount.portal.refusals import refusal_of, words_of
from profiles_app.phone.key_picture import picture_of
from profiles_app.phone.rendering.keys import all_kinds, find_kind
from profiles_app.phone.rendering.settings import find_setting
from profiles_app.phone.rendering.values import merge

# What the catalogue says in English, so that it is collected for translation.
SPOKEN = (
    gettext_noop("Line"),
    gettext_noop("Speed dial"),
    gettext_noop("Busy lamp (BLF)"),
    gettext_noop("Park position with lamp"),
    gettext_noop("Intercom"),
    gettext_noop("Service"),
    gettext_noop("Redial"),
    gettext_noop("Hold"),
    gettext_noop("Transfer"),
    gettext_noop("Forward all"),
    gettext_noop("Settings"),
    gettext_noop("Malicious call"),
    gettext_noop("Conference"),
    gettext_noop("Meet me"),
    gettext_noop("Park"),
    gettext_noop("Pickup"),
    gettext_noop("Group pickup"),
    gettext_noop("Do not disturb"),
    gettext_noop("Remove last participant"),
    gettext_noop("Report quality"),
    gettext_noop("Call back"),
    gettext_noop("Other pickup"),
    gettext_noop("New call"),
    gettext_noop("Hunt group"),
    gettext_noop("All calls"),
    gettext_noop("Answer"),
    gettext_noop("Alerting calls"),
    gettext_noop("Record"),
    gettext_noop("Services"),
    gettext_noop("Messages"),
    gettext_noop("Directories"),
    gettext_noop("Applications"),
    gettext_noop("Headset"),
    gettext_noop("Ring setting, idle"),
    gettext_noop("Ring setting, in a call"),
    gettext_noop("as the phone comes"),
    gettext_noop("off"),
    gettext_noop("flash only"),
    gettext_noop("ring once"),
    gettext_noop("ring"),
    gettext_noop("beep"),
)
TEMPLATE = "phones_app/mobility/portal/keys.html"
NOTHING = gettext_lazy("Nothing")
LONGEST_TARGET, LONGEST_LABEL = 255, 30


class KeyForm(forms.Form):
    """One key. Its fields are named by its place, so that one page has all of them."""

    kind = forms.ChoiceField(label=gettext_lazy("What it does"), required=False)
    target = forms.CharField(label=gettext_lazy("Number or address"), required=False, max_length=LONGEST_TARGET)
    label = forms.CharField(label=gettext_lazy("Label"), required=False, max_length=LONGEST_LABEL)

    def __init__(self, data: Any, *, own: OwnKeys, place: tuple[int, int]) -> None:
        key = own.keys.get(place)
        initial = {"kind": key.kind, "target": key.target, "label": key.label} if key else {}
        super().__init__(data, prefix=f"key-{place[0]}-{place[1]}", initial=initial)
        self.place, self.may_change = place, own.may_change(place)
        kind = find_kind(key.kind) if key else None
        self.does = _(kind.label) if kind else ""
        offered = [(kind.name, _(kind.label)) for kind in all_kinds() if kind.name in own.kinds]
        self.fields["kind"].choices = [("", NOTHING), *offered]  # type: ignore[attr-defined]
        if not self.may_change:
            del self.fields["kind"], self.fields["target"]
            self.fields["label"].help_text = _("Empty: its own name.")
        if not own.may_label(place):
            del self.fields["label"]

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        kind = find_kind(given.get("kind", ""))
        if kind is not None and kind.needs in ("number", "url") and not given.get("target"):
            self.add_error("target", _("This key needs a number or an address."))
        return given

    @property
    def typed(self) -> OwnKey:
        given = self.cleaned_data
        return OwnKey(given.get("kind", ""), given.get("target", ""), given.get("label", ""))


class RingForm(forms.Form):
    """Settings of the person, where no layer locks them."""

    def __init__(self, data: Any, *, own: OwnKeys) -> None:
        super().__init__(data)
        effective = merge(own.gathered.layers)
        for name in OWN_SETTINGS:
            setting, value = find_setting(name), effective.get(name)
            if setting is None or (value is not None and value.locked):
                continue
            choices = [("", _("as at the other phones")), *((key, _(words)) for key, words in setting.choices.items())]
            self.fields[name] = forms.ChoiceField(
                label=_(setting.label), choices=choices, required=False, initial=value.value if value else ""
            )


@PHONES.url("<uuid:uuid>/keys/", "keys", get=SET_KEYS, post=SET_KEYS)
def keys(request: PortalRequest, uuid: str) -> HttpResponse:
    """POST looks at what would be, and with `apply` brings it to the phone."""
    phone = get_object_or_404(own_phones(request.visitor).select_related("account"), uuid=uuid)
    shown: dict[str, Any] = {"one": PhoneShown(phone), "back": reverse("portal:phones")}
    try:
        own = own_keys_of(phone, request.visitor.person)
    except Refusal as refusal:
        return show(request, TEMPLATE, shown | {"refused": refusal_of(refusal)})
    data = request.POST if request.method == "POST" else None
    forms_of_keys = [KeyForm(data, own=own, place=place) for place in own.places]
    ring = RingForm(data, own=own)
    gathered, refused = own.gathered, ""
    errors = data is not None and any([form.errors for form in (*forms_of_keys, ring)])  # noqa: C419 - of each
    if data is not None and not errors:
        try:
            wanted = changed_keys(own, {form.place: form.typed for form in forms_of_keys})
            gathered = foreseen(own, wanted, ring.cleaned_data)
            if (when := data.get("apply")) in ("now", "tonight"):
                save_own(own, wanted, ring.cleaned_data)
                return _applied(request, own_keys_of(phone, request.visitor.person), tonight=when == "tonight")
        except Refusal as refusal:
            refused = refusal_of(refusal)
    picture = picture_of(gathered.device.model, gathered.keys, gathered.device.modules, gathered.lines)
    shown |= {
        "forms": forms_of_keys,
        "form": ring,
        "picture": picture.columns,
        "remarks": [words_of(remark) for remark in picture.remarks],
        "refused_change": refused,
        "is_preview": data is not None and not errors and not refused,
        "can_undo": undoable(own.profile) is not None,
        "has_errors": errors,
    }
    return show(request, TEMPLATE, shown, status=400 if errors or refused else 200)


@PHONES.url("<uuid:uuid>/keys/undo/", "keys-undo", get=None, post=SET_KEYS)
def undo_keys(request: PortalRequest, uuid: str) -> HttpResponse:
    phone = get_object_or_404(own_phones(request.visitor).select_related("account"), uuid=uuid)
    try:
        undo(own_keys_of(phone, request.visitor.person))
        return _applied(request, own_keys_of(phone, request.visitor.person), tonight=False)
    except Refusal as refusal:
        messages.error(request, refusal_of(refusal))
    return HttpResponseRedirect(reverse("portal:phones-keys", args=[uuid]))


def _applied(request: PortalRequest, own: OwnKeys, *, tonight: bool) -> HttpResponse:
    try:
        apply_own(own, actor=request.visitor.actor, tonight=tonight)
    except Refusal as refusal:
        messages.warning(
            request, _("Your keys are saved, but not on the phone: %(why)s") % {"why": refusal_of(refusal)}
        )
    else:
        told = _("Your keys come to the phone tonight.") if tonight else _("Your keys come to the phone now.")
        messages.success(request, told)
    return HttpResponseRedirect(reverse("portal:phones-keys", args=[own.phone.uuid]))
