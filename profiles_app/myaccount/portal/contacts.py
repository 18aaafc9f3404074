"""Contacts and mail: whom the account's notifications go to, and what each of them is told of (portal spec §2)."""

from django import forms
from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts_app.contacts.models.contact import NotificationContact, event_classes, is_told_by_default
from contacts_app.contacts.services import delete_contact, set_wanted_types, wanted_types
from contacts_app.core.errors import Refusal
from profiles_app.myaccount.portal.pages import Fact, HomePanel, Page, PortalRequest, Visitor, register_panel, show
from profiles_app.myaccount.portal.parts import Cell, Heading, Table, page_of
from profiles_app.myaccount.portal.refusals import refusal_of

CONTACTS = Page("contacts", gettext_lazy("Contacts and mail"), place=40)
WHO, WHAT = "contacts", "mail"
WHO_FIELDS = ("email", "name", "phone")


def contacts_of(visitor: Visitor) -> "QuerySet[NotificationContact]":
    return visitor.actor.sees(NotificationContact.objects.prefetch_related("preferences")).order_by("-main", "pk")


class ContactForm(forms.ModelForm):  # type: ignore[type-arg]
    """Of what the visitor may change: who the contact is, what it is told of, or both."""

    told_of = forms.MultipleChoiceField(
        label=gettext_lazy("Gets mail about"), required=False, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = NotificationContact
        fields = WHO_FIELDS
        labels = {
            "email": gettext_lazy("E-mail address"),
            "name": gettext_lazy("Name"),
            "phone": gettext_lazy("Phone number"),
        }
        help_texts = {"phone": ""}

    def __init__(self, sent: QueryDict | None, *, instance: NotificationContact, visitor: Visitor) -> None:
        super().__init__(sent, instance=instance)
        # The mails that are sent here. What other systems ask for over the API stays as it is.
        self.fields["told_of"].choices = [(one.name, _(one.label)) for one in event_classes.values()]  # type: ignore[attr-defined]
        told = (
            wanted_types(self.instance)
            if self.instance.pk
            else [name for name in event_classes if is_told_by_default(name)]
        )
        self.initial["told_of"] = [name for name in told if name in event_classes]
        if not CONTACTS.is_open(visitor, WHAT):
            del self.fields["told_of"]
        if not CONTACTS.is_open(visitor, WHO):
            for name in WHO_FIELDS:
                del self.fields[name]

    @transaction.atomic
    def store(self) -> NotificationContact:
        contact: NotificationContact = self.save()
        if "told_of" in self.cleaned_data:
            others = [name for name in wanted_types(contact) if name not in event_classes]
            set_wanted_types(contact, [*others, *self.cleaned_data["told_of"]])
        return contact


def _number_told(contact: NotificationContact) -> int:
    return sum(name in event_classes for name in wanted_types(contact))


@CONTACTS.url()
def contacts(request: PortalRequest) -> HttpResponse:
    rows, pager = page_of(request, contacts_of(request.visitor))
    table = Table(
        [Heading(_("Name")), Heading(_("E-mail address")), Heading(_("Phone number")), Heading(_("Gets mail about"))],
        [
            [
                Cell(
                    row.name or row.email,
                    path=reverse("portal:contacts-one", args=[row.uuid]),
                    note=_("main contact") if row.main else "",
                ),
                row.email,
                row.phone,
                _("%(number)s of %(all)s kinds") % {"number": _number_told(row), "all": len(event_classes)},
            ]
            for row in rows
        ],
        pager=pager,
    )
    shown = {"table": table, "may_add": CONTACTS.is_open(request.visitor, WHO)}
    return show(request, "profiles_app/myaccount/portal/contacts.html", shown)


def _edited(
    request: PortalRequest, contact: NotificationContact, title: str, template: str = "form.html"
) -> HttpResponse:
    form = ContactForm(request.POST if request.method == "POST" else None, instance=contact, visitor=request.visitor)
    if form.is_valid():
        messages.success(request, _("%(contact)s is saved.") % {"contact": form.store()})
        return HttpResponseRedirect(reverse("portal:contacts"))
    shown = {
        "form": form,
        "title": title,
        "back": reverse("portal:contacts"),
        "contact": contact,
        "may_delete": CONTACTS.is_open(request.visitor, WHO) and not contact.main,
    }
    return show(request, f"profiles_app/myaccount/portal/{template}", shown, status=400 if form.errors else 200)


@CONTACTS.url("add/", "add", get=WHO, post=WHO)
def add_contact(request: PortalRequest) -> HttpResponse:
    return _edited(request, NotificationContact(account=request.visitor.account), _("Add a contact"))


@CONTACTS.url("<uuid:uuid>/", "one", post="")
def contact(request: PortalRequest, uuid: str) -> HttpResponse:
    row = get_object_or_404(contacts_of(request.visitor), uuid=uuid)
    return _edited(request, row, str(row.name or row.email), "contact.html")


@CONTACTS.url("<uuid:uuid>/delete/", "delete", get=None, post=WHO)
def remove_contact(request: PortalRequest, uuid: str) -> HttpResponse:
    row = get_object_or_404(contacts_of(request.visitor), uuid=uuid)
    try:
        delete_contact(row)
    except Refusal as refusal:
        messages.error(request, refusal_of(refusal))
    else:
        messages.success(request, _("%(contact)s is deleted.") % {"contact": row})
    return HttpResponseRedirect(reverse("portal:contacts"))


def _facts(visitor: Visitor) -> list[Fact]:
    return [Fact(gettext_lazy("Contacts"), contacts_of(visitor).count(), CONTACTS.path)]


register_panel(HomePanel(CONTACTS, _facts))
