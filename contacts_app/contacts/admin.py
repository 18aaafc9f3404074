"""Notification contacts of accounts with what they are notified about; and mail to people: what was sent, what waits
and why, and what mail servers said."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from contacts_app.contacts.mail import UNSUBSCRIBE_MARK, resend_mail
from contacts_app.contacts.models.contact import NotificationContact, choices, is_told_by_default, label_of
from contacts_app.contacts.models.mail import Mail
from contacts_app.contacts.services import ContactCsv, delete_contact, make_main, set_wanted_types, types, wanted_types
from contacts_app.core.admin import asked_work
from contacts_app.core.admin.base import PortalAdmin, ReadOnlyAdmin, allowed, button
from contacts_app.core.admin.columns import column
from contacts_app.core.csv.admin import CsvPages
from contacts_app.core.errors import Refusal
from contacts_app.core.lists.among import among
from contacts_app.core.lists.search import NOTHING, text_match
from contacts_app.core.values import compact


class NotificationContactForm(forms.ModelForm):  # type: ignore[type-arg]
    told_of = forms.MultipleChoiceField(
        label="Notified about",
        required=False,
        choices=choices,
        initial=lambda: [type_ for type_ in types() if is_told_by_default(type_)],
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
class NotificationContactAdmin(CsvPages, PortalAdmin):
    csv_format = ContactCsv
    actions = ["export_selected"]
    # A main contact is deleted with its account and never by itself.
    goes_along = True
    form = NotificationContactForm
    list_display = ("name_and_email", "phone", "is_main", "account", "created_at")
    more_columns = ("name", "email", "updated_at")
    list_select_related = ("account",)
    list_filter = ("main", "account")
    search_fields = ("name", "email", "account__name")
    search_help_text = "Name, email, account, or phone number in any spelling"
    autocomplete_fields = ("account",)
    # A contact does not change hands: it could leave an account without a main one.
    chosen_once = ("account", "main", "uuid", "created_at", "updated_at")
    actions_detail = ["make_main"]
    name_and_email = column("Contact", lambda row: [row.name or "–", row.email], ordering="name", header=True)
    is_main = column("Main", lambda row: "Main" if row.main else "", ordering="main", label={"Main": "success"})
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

    def save_related(self, request: HttpRequest, form: Any, formsets: object, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        set_wanted_types(form.instance, form.cleaned_data["told_of"])

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
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

    def has_make_main_permission(self, request: HttpRequest, object_id: object = None) -> bool:
        return all(request.user.has_perm(f"contacts_app.change_{what}") for what in ("notificationcontact", "account"))

    @button(
        "Make main…",
        question="Make {0} the main contact? {0.email} becomes the email of {0.account}.",
        logged="Made the main contact.",
        done="{0} is the main contact of {0.account} now.",
        icon="star",
        permission="make_main",
    )
    def make_main(self, request: HttpRequest, contact: NotificationContact) -> None:
        make_main(contact)

    @display(description="Notified about")
    def is_told_of(self, contact: NotificationContact) -> str:
        told = [label_of(type_) for type_ in wanted_types(contact)]
        return ", ".join(map(str, told)) or "Nothing"


SENT_AGAIN = asked_work.register(
    asked_work.AskedKind(
        "sent again", Mail, lambda since: Q(state=Mail.State.QUEUED), failed=Q(state=Mail.State.FAILED)
    )
)
STATE_LABELS = {"Sent": "success", "Not sent": "warning", "Queued": "info", "Waits": "warning", "Failed": "danger"}


@admin.register(Mail)
class MailAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "to", "subject", "state_here", "attempts", "error", "account")
    list_select_related = ("account",)
    list_filter = ("state", "created_at", "account")
    search_fields = ("to__startswith", "=uuid")
    search_help_text = "How the address begins, or the UUID"
    actions = ["send_selected_again"]
    actions_detail = ["send_again"]
    has_again_permission = allowed("contacts_app.change_mail")
    kind = column("About", lambda mail: label_of(mail.about) or "–")
    fieldsets = (
        (None, {"fields": ("to", "subject", "preview")}),
        ("Sending", {"fields": ("state_here", "attempts", "error", "next_attempt_at", "finished_at")}),
        ("Record", {"fields": ("account", "contact", "kind", "uuid", "created_at")}),
    )

    @button(
        "Send again…",
        question="Send “{0.subject}” to {0.to} once more?",
        yes="Send",
        logged="Sent again.",
        done="The mail is on its way.",
        icon="forward_to_inbox",
        permission="again",
    )
    def send_again(self, request: HttpRequest, mail: Mail) -> None:
        self._send_again(request, [mail])

    @admin.action(description="Send failed ones again", permissions=["again"])
    def send_selected_again(self, request: HttpRequest, queryset: QuerySet[Mail]) -> None:
        failed = list(queryset.filter(state=Mail.State.FAILED))
        self._send_again(request, failed)
        for mail in failed:
            self.log_change(request, mail, "Sent again.")
        messages.success(request, f"On their way: {len(failed)}. Only failed mails are sent again.")

    def _send_again(self, request: HttpRequest, mails: list[Mail]) -> None:
        again = [resend_mail(mail).pk for mail in mails]
        asked_work.note(request, SENT_AGAIN, Mail.objects.filter(pk__in=among(again)))

    @display(description="State", ordering="state", label=STATE_LABELS)
    def state_here(self, mail: Mail) -> str:
        # The mail server takes what it sends without a word.
        said = {Mail.State.QUEUED: "Waits", Mail.State.SENT: "Not sent"} if mail.error else {}
        return said.get(Mail.State(mail.state)) or Mail.State(mail.state).label

    @display(description="Text")
    def preview(self, mail: Mail) -> str:
        text = mail.text.replace(UNSUBSCRIBE_MARK, "(a link that only the recipient gets)")
        return format_html('<pre class="pb-wire pb-mail" tabindex="0">{}</pre>', text)
