"""Saved groups of phones; their members are one list of MAC addresses, as a spreadsheet has it.

Finding phones by their MAC address in whatever spelling somebody has at hand, whole or a part of it.

Looking at phones now, instead of when it is their turn.
"""

import re
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts_app.core.admin.base import PortalAdmin, TenantFilter, count_of
from contacts_app.core.errors import Refusal
from contacts_app.core.lists.admin import BigListAdmin
from contacts_app.core.lists.search import text_match
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.inventory.services import phones_by_mac, read_macs
from phones_app.inventory.status_check import ask_for_look, look_now
from profiles_app.phone.sep.mac import colons

SHOWN = 10


class PhoneGroupForm(forms.ModelForm):  # type: ignore[type-arg]
    members = forms.CharField(
        label="Phones",
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 16, "class": "font-mono"}),
        help_text="MAC addresses in any spelling, one in a line.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            macs = self.instance.phones.order_by("mac").values_list("mac", flat=True)
            self.initial["members"] = "\n".join(map(colons, macs))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        account, text = (
            cleaned.get("account") or getattr(self.instance, "account", None),
            cleaned.get("members"),
        )
        self.chosen = Phone.objects.none()
        if text and account:
            try:
                found = phones_by_mac(Phone.objects.filter(account=account), read_macs(text))
            except Refusal as refusal:
                self.add_error("members", refusal.message)
                return cleaned
            self.chosen = found.phones
            if found.unknown:
                named = ", ".join(map(colons, found.unknown[:SHOWN]))
                self.add_error("members", f"The account has no such phones: {named}")
        return cleaned


class GroupOfSelected(PortalAdmin):
    """The action of the phone admin that saves what was found as a group, to be named on its page."""

    def has_group_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("phones_app.add_phonegroup")

    @admin.action(description="Save as a group", permissions=["group"])
    def group_selected(self, request: HttpRequest, queryset: QuerySet[Phone]) -> HttpResponse | None:
        accounts = set(queryset.order_by().values_list("account", flat=True).distinct())
        if len(accounts) != 1:
            messages.error(request, "A group has phones of one account.")
            return None
        name = f"Phones chosen at {timezone.localtime():%Y-%m-%d %H:%M:%S}"
        with transaction.atomic():
            group = PhoneGroup.objects.create(account_id=accounts.pop(), name=name)
            group.phones.set(queryset.values_list("pk", flat=True))
        messages.success(request, "This is a group now. Give it a name.")
        return HttpResponseRedirect(reverse("admin:phones_app_phonegroup_change", args=[group.pk]))


@admin.register(PhoneGroup)
class PhoneGroupAdmin(PortalAdmin):
    form = PhoneGroupForm
    list_display = ("name", "account", "number")
    list_select_related = ("account",)
    list_filter = (("account", TenantFilter),)
    search_fields = ("name",)
    autocomplete_fields = ("account",)
    fields = ("name", "account", "members")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PhoneGroup]:
        return super().get_queryset(request).annotate(number=count_of(PhoneGroup, "phones"))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.phones.set(form.chosen)

    @display(description="Phones")
    def number(self, group: Any) -> int:
        return int(group.number)


_FILE_ENDING = re.compile(r"\.cnf\.xml$", re.IGNORECASE)
_SEPARATORS = re.compile(r"[:.\s-]")
_DIGITS = re.compile(r"[0-9A-F]{2,12}")


def mac_digits(term: str) -> str:
    """The hex digits of a MAC address or a part of one, as stored; empty for anything else."""
    digits = _SEPARATORS.sub("", _FILE_ENDING.sub("", term)).upper().removeprefix("SEP")
    return digits if _DIGITS.fullmatch(digits) else ""


class MacSearchMixin(BigListAdmin):
    """Each word of the search is looked for in `search_fields` and, if it can be part of one, in the MAC."""

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        whole = mac_digits(search_term)
        if len(whole) == 12:
            return queryset.filter(mac=whole), False
        return super().get_search_results(request, queryset, search_term)

    def word_match(self, request: HttpRequest, word: str, anywhere: bool) -> Q:
        digits = mac_digits(word)
        found = super().word_match(request, word, anywhere)
        return found | text_match("mac", digits) if digits else found


class LookPages(PortalAdmin):
    """The actions of the phone admin that read status pages; who may change a phone may have it looked at."""

    @admin.action(description="Look now", permissions=["change"])
    def look_selected(self, request: HttpRequest, queryset: Any) -> None:
        rows = self.tenant_rows(request).filter(pk__in=queryset.values("pk"))
        asked = ask_for_look(rows)
        messages.info(request, f"{asked} phones are being looked at.")

    @action(description="Look now", icon="visibility", permissions=["change"])
    def look_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        phone = self.row_or_404(request, object_id)
        back = reverse("admin:phones_app_phone_change", args=[phone.pk])
        question = self.confirmed(
            request, question=f"Read the status page of {phone} now?", button="Look now", back=back
        )
        if question is not None:
            return question
        try:
            seen = look_now(phone)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(back)
        if seen.status is None:
            messages.warning(request, seen.error)
        else:
            messages.success(request, f"A {seen.status.model} with load {seen.status.load} answers.")
        return HttpResponseRedirect(back)
