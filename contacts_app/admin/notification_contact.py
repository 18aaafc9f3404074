"""Whom accounts want to be told, and of what."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from unfold.decorators import action, display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from contacts_app.admin.base import PortalAdmin, TenantFilter
from contacts_app.admin.sheets import SheetPages
from contacts_app.models import NotificationContact, NotificationPreference
from contacts_app.models.event_class import is_told_by_default
from contacts_app.models.notification_preference import CHOICES
from contacts_app.models.phone_number import compact
from contacts_app.services.contact_sheet import ContactSheet
from contacts_app.services.errors import Refusal
from contacts_app.services.notification_contact import delete_contact, make_main
from contacts_app.services.notification_preference import TYPES, set_wanted_types, wanted_types
from contacts_app.services.text_search import NOTHING, text_match


class NotificationContactForm(forms.ModelForm):  # type: ignore[type-arg]
    told_of = forms.MultipleChoiceField(
        label="Is told of",
        required=False,
        choices=CHOICES,
        initial=[type_ for type_ in TYPES if is_told_by_default(type_)],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="This portal tells the first kind. The other one is kept for systems that ask for it over the API.",
    )

    class Meta:
        model = NotificationContact
        fields = ("account", "email", "name", "phone")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["told_of"] = wanted_types(self.instance)


@admin.register(NotificationContact)
class NotificationContactAdmin(SheetPages, PortalAdmin):
    sheet = ContactSheet
    actions = ["export_selected"]
    # A main contact is deleted with its account and never by itself.
    goes_along = True
    form = NotificationContactForm
    list_display = ("name_and_email", "phone", "is_main", "account", "created_at")
    list_select_related = ("account",)
    list_filter = ("main", ("account", TenantFilter))
    search_fields = ("name", "email", "account__name")
    search_help_text = "Name, email, account, or phone number in any spelling"
    autocomplete_fields = ("account",)
    # A contact does not change hands: it could leave an account without a main one.
    chosen_once = ("account", "main", "uuid", "created_at", "updated_at")
    actions_detail = ["make_main"]
    contact_fields = (None, {"fields": ("account", "email", "name", "phone")})
    record_fields = ("Record", {"fields": ("main", "uuid", "created_at", "updated_at")})

    def get_fieldsets(self, request: HttpRequest, obj: NotificationContact | None = None) -> Any:
        if obj is None:
            return [self.contact_fields, ("Notifications", {"fields": ("told_of",)})]
        # Who may not choose has no form, and reads the choice.
        choice = "told_of" if self.has_change_permission(request, obj) else "is_told_of"
        return [self.contact_fields, ("Notifications", {"fields": (choice,)}), self.record_fields]

    def term_match(self, term: str) -> Q:
        number = compact(term)
        return text_match("phone", number) if number.removeprefix("+").isdecimal() else NOTHING

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        set_wanted_types(form.instance, form.cleaned_data["told_of"])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_main = isinstance(obj, NotificationContact) and obj.main
        return super().has_delete_permission(request, obj) and not is_main

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, count, missing, protected = super().get_deleted_objects(objs, request)
        kept = [f"{contact}, the main contact of {contact.account}" for contact in objs if contact.main]
        return deleted, count, missing, [*protected, *kept]

    def delete_model(self, request: HttpRequest, obj: NotificationContact) -> None:
        try:
            delete_contact(obj)
        except Refusal as refusal:
            raise PermissionDenied(refusal.message) from None

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        for contact in queryset:
            self.delete_model(request, contact)

    def has_make_main_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return all(
            request.user.has_perm(f"contacts_app.change_{what}")
            for what in ("notificationcontact", "account")
        )

    @action(description="Make main…", icon="star", permissions=["make_main"])
    def make_main(self, request: HttpRequest, object_id: str) -> HttpResponse:
        contact = self.row_or_404(request, object_id)
        if contact.main:
            messages.info(request, f"{contact} is the main contact already.")
            return HttpResponseRedirect(
                reverse("admin:contacts_app_notificationcontact_change", args=[contact.pk])
            )
        return self.act_on(
            request,
            object_id,
            make_main,
            question="Make {0} the main contact? {0.email} becomes the email of {0.account}.",
            button="Make main",
            logged="Made the main contact.",
            done="{0} is the main contact of {0.account} now.",
        )

    @display(description="Contact", ordering="name", header=True)
    def name_and_email(self, contact: NotificationContact) -> list[str]:
        return [contact.name or "–", contact.email]

    @display(description="Is told of")
    def is_told_of(self, contact: NotificationContact) -> str:
        told = [NotificationPreference(type=type_).get_type_display() for type_ in wanted_types(contact)]
        return ", ".join(map(str, told)) or "Nothing"

    @display(description="Main", ordering="main", label={"Main": "success"})
    def is_main(self, contact: NotificationContact) -> str:
        return "Main" if contact.main else ""
