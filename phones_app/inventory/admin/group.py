"""Saved groups of phones; their members are one list of MAC addresses, as a spreadsheet has it."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextareaWidget

from contacts_app.core.admin.base import PortalAdmin, allowed
from contacts_app.core.admin.columns import count_column
from contacts_app.core.admin.links import page_of
from contacts_app.core.errors import Refusal
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.inventory.services import phones_by_mac, read_macs
from profiles_app.phone.sep.catalogue import colons

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

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        account, text = cleaned.get("account"), cleaned.get("members")
        if account is None and self.instance.pk:
            account = self.instance.account
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

    has_group_permission = allowed("phones_app.add_phonegroup")

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
        return HttpResponseRedirect(page_of(group))


@admin.register(PhoneGroup)
class PhoneGroupAdmin(PortalAdmin):
    form = PhoneGroupForm
    list_display = ("name", "account", "number")
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("name",)
    autocomplete_fields = ("account",)
    fields = ("name", "account", "members")
    number = count_column("phones", "Phones")

    def save_related(self, request: HttpRequest, form: Any, formsets: object, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        form.instance.phones.set(form.chosen)
