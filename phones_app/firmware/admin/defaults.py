"""*Default loads*: for each model of the fleet what its phones are to run, and how many of them do."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action

from contacts_app.accounts.models import Account
from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url
from contacts_app.core.errors import Refusal
from phones_app.configuration.default_loads import default_loads, overriding, set_default
from phones_app.configuration.models import Layer
from phones_app.inventory.models import Phone

LONGEST_VOIP_ID = 18
SETS = ("phones_app.add_layer", "phones_app.change_layer")


class DefaultForm(forms.Form):
    model = forms.CharField(max_length=64)
    load = forms.CharField(max_length=64, required=False)


class DefaultLoadPages(PortalAdmin):
    """Mixed into the admin of firmware."""

    pages = {"default_loads": "default-loads/"}

    @action(description="Default loads", icon="flag", permissions=["view"])
    def defaults(self, request: HttpRequest) -> HttpResponse:
        return HttpResponseRedirect(self.url_of("default_loads"))

    def default_loads_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, "phones_app.view_firmware")
        try:
            account = self._account(request)
        except Refusal as refusal:
            # As if all accounts were shown, a default would be set for all of them.
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self.url_of("default_loads"))
        may_set = request.user.has_perms(SETS)
        if request.method == "POST":
            return self._set(request, account)
        return self.page(
            request,
            "phones_app/firmware/defaults.html",
            "Default loads",
            account=account,
            is_staff=actor_of(request).account is None,
            may_set=may_set,
            models=[(one, _phones(one.model)) for one in default_loads(account)],
            overriding=overriding(account),
            layers=list_url(Layer),
        )

    def _account(self, request: HttpRequest) -> Account | None:
        """A tenant's own, or the one that staff have chosen; None: all of them. Raises Refusal."""
        own: Account | None = actor_of(request).account
        number = request.GET.get("account", "").strip()
        if own is not None or not number:
            return own
        known = number.isdecimal() and len(number) <= LONGEST_VOIP_ID
        account = Account.objects.filter(voip_id=int(number)).first() if known else None
        if account is None:
            raise Refusal("unknown-account", f"There is no account with the VoIP id {number[:LONGEST_VOIP_ID]}.")
        return account

    def _set(self, request: HttpRequest, account: Account | None) -> HttpResponse:
        for permission in SETS:
            self.require(request, permission)
        form = DefaultForm(request.POST)
        if form.is_valid():
            model, load = form.cleaned_data["model"], form.cleaned_data["load"]
            try:
                set_default(model, load, account)
            except Refusal as refusal:
                messages.error(request, refusal.message)
            else:
                said = f"{model}: {load} from the next deployment on." if load else f"{model}: no default of its own."
                messages.success(request, said)
        return HttpResponseRedirect(request.get_full_path())


def _phones(model: str) -> Any:
    return list_url(Phone, q=model)
