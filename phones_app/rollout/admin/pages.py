"""Starting a rollout: which phones, which profile, at what pace; then what would happen; then yes."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from contacts_app.accounts.models import Account
from contacts_app.core.admin.base import PortalAdmin, allowed
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import page_of
from contacts_app.core.errors import Refusal
from phones_app.configuration.admin.confirm import ROLL_OUT, AsksBeforeSaving, work_out
from phones_app.configuration.changes import to_roll_out, unmade
from phones_app.configuration.effect import MOST_SECONDS
from phones_app.deployment.request import MAY_DEPLOY
from phones_app.firmware.models import Firmware
from phones_app.inventory.admin.bulk import ChangeSelected
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.inventory.services import Selection, phones_by_mac, phones_of_group, read_macs
from phones_app.rollout import rollout as service
from phones_app.rollout.aims import check_aim
from phones_app.rollout.models import Rollout
from phones_app.rollout.plan import make_plan
from profiles_app.phone.sep.catalogue import colons, parse_mac

MAX_LIST_BYTES = 8 * 1024 * 1024
SOURCES = ("group", "file", "everything")
NAMED, MOST_WAYS = 5, 20
NAME_LENGTH = 255
# What the empty form proposes: careful, because the person who starts the first rollout has not seen one go wrong.
CAREFUL = {"canary_size": 5, "wave_size": 100, "wave_pause": 60, "wave_jitter": 30, "abort_percent": 10}


class RolloutForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rollout that is not saved yet, and the phones: chosen before (`macs`), a group, a list in a file, or all."""

    macs = forms.CharField(required=False, widget=forms.HiddenInput)
    group = forms.ModelChoiceField(
        PhoneGroup.objects.none(), required=False, label="Saved group", widget=UnfoldAdminSelectWidget
    )
    file = forms.FileField(
        required=False,
        label="List of MAC addresses",
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV: the first column, or the one headed “mac”.",
    )
    everything = forms.BooleanField(required=False, label="All phones", widget=UnfoldBooleanSwitchWidget)
    include_unchanged = forms.BooleanField(
        required=False, label="Also phones that have this very file", widget=UnfoldBooleanSwitchWidget
    )
    # Set on the page of a rollout of firmware: without a load it would roll profiles out instead.
    firmware = forms.BooleanField(required=False, widget=forms.HiddenInput)
    load = forms.ChoiceField(required=False, label="Firmware", widget=UnfoldAdminSelectWidget)
    ends_at = forms.DateTimeField(
        required=False,
        label="Wait until",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text="Firmware: phones that are away get it when they are back, until then. Empty: two weeks.",
    )
    revision = forms.IntegerField(required=False, widget=forms.HiddenInput)
    phones: Any = None  # the rows that the person may see

    def clean(self) -> dict[str, object]:
        cleaned = super().clean() or {}
        try:
            self.selection = self._selection(cleaned)
        except (Refusal, ValueError) as error:
            self.add_error("file", str(error))
        self.instance.load, self.instance.ends_at = cleaned.get("load") or "", cleaned.get("ends_at")
        if cleaned.get("firmware") and not self.instance.load and "load" not in self.errors:
            self.add_error("load", "Choose the load that the phones get.")
        try:
            check_aim(self.instance, cleaned.get("profile"))
        except Refusal as refusal:
            self.add_error("load", refusal.message)
        return cleaned

    def _selection(self, cleaned: dict[str, Any]) -> Selection:
        if sum(bool(cleaned.get(name)) for name in ("macs", *SOURCES)) != 1:
            raise forms.ValidationError("Choose the phones in one way.")
        if cleaned.get("macs"):
            return phones_by_mac(self.phones, map(parse_mac, cleaned["macs"].split(",")))
        if group := cleaned.get("group"):
            return phones_of_group(self.phones, group)
        if file := cleaned.get("file"):
            if file.size > MAX_LIST_BYTES:
                raise ValueError("The file is too large.")
            return phones_by_mac(self.phones, read_macs(file.read().decode("utf-8-sig")))
        return Selection(self.phones)


class RollOutSelected(ChangeSelected):
    """The action of the phone admin that begins a rollout, and the button that changes phones and then begins one."""

    @admin.action(description="Roll out…", permissions=["deploy"])
    def roll_out_selected(self, request: HttpRequest, queryset: QuerySet[Phone]) -> HttpResponse:
        return _choose(self, request, queryset)

    def ways_to_change(self, request: HttpRequest) -> dict[str, str]:
        also = {ROLL_OUT: "Change and roll out…"} if _may_roll_out(request) else {}
        return super().ways_to_change(request) | also

    def after_change(self, request: HttpRequest, rows: "QuerySet[Phone]", way: str) -> HttpResponse:
        if way == ROLL_OUT:
            work_out(rows)
            if (behind := to_roll_out(rows)).exists():
                return _choose(self, request, behind)
            messages.info(request, "There is nothing to roll out: no phone got another file by that.")
        return super().after_change(request, rows, way)


def _may_roll_out(request: HttpRequest) -> bool:
    return request.user.has_perms([MAY_DEPLOY, "profiles_app.view_phoneprofile"])


def _choose(pages: PortalAdmin, request: HttpRequest, phones: "QuerySet[Phone]", **initial: object) -> HttpResponse:
    """The page of a new rollout, with these phones chosen."""
    rollouts: Any = pages.admin_site.get_model_admin(Rollout)
    macs = ",".join(phones.order_by("mac").values_list("mac", flat=True))
    page: HttpResponse = rollouts.choose(request, rollouts.rollout_form(request, macs=macs, **initial))
    return page


class RollOutChanged(AsksBeforeSaving):
    """For the pages of what files are made from: a rollout to exactly the phones that have another file than they
    should run.
    """

    pages = {"roll_out": "<int:pk>/roll-out/"}
    rollout_page = "roll_out"

    def may_roll_out(self, request: HttpRequest) -> bool:
        return _may_roll_out(request)

    def roll_out_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.require(request, MAY_DEPLOY)
        self.require(request, "profiles_app.view_phoneprofile")
        row = self.row_or_404(request, pk)
        phones = self.concerned(request, row)
        work_out(phones)
        if not (behind := to_roll_out(phones)).exists():
            failed = unmade(phones).count()
            but = f" but {failed} for which no file can be made" if failed else ""
            messages.info(request, f"There is nothing to roll out: all phones{but} have the file that they should run.")
            return HttpResponseRedirect(page_of(row))
        return _choose(self, request, behind, name=str(row)[:NAME_LENGTH])


def _loads(account: Account | None) -> list[str]:
    """What phones of this account can be given; None: of any."""
    rows = Firmware.objects.filter(Q(account=None) | Q(account=account)) if account else Firmware.objects.all()
    return list(rows.order_by("load").values_list("load", flat=True).distinct())


class RolloutPages(PortalAdmin):
    """The pages of the rollout admin that lead to a rollout."""

    has_add_permission = allowed(MAY_DEPLOY)

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: object = None) -> HttpResponse:
        """Choose, be shown what would happen, and with `confirm` let it happen."""
        self.require(request, MAY_DEPLOY)
        self.require(request, "profiles_app.view_phoneprofile")
        if request.method != "POST":
            # Links lead here with the firmware, or with all phones, chosen already.
            load, everything = request.GET.get("load", ""), bool(request.GET.get("everything"))
            form = self.rollout_form(request, load=load, everything=everything)
            return self.choose(request, form, firmware=bool(load))
        form = self.rollout_form(request, request.POST, request.FILES)
        if not form.is_valid() or "edit" in request.POST:
            return self.choose(request, form, firmware=bool(request.POST.get("firmware") or request.POST.get("load")))
        rollout: Rollout = form.instance
        profile = rollout.profile
        latest = profile.revision_id if profile else None
        confirmed = "confirm" in request.POST
        what: dict[str, Any] = {
            "selection": form.selection,
            "profile": profile,
            "pace": rollout,
            "include_unchanged": form.cleaned_data["include_unchanged"],
        }
        if confirmed and form.cleaned_data["revision"] == latest:
            started = service.start(**what, actor=actor_of(request))
            return HttpResponseRedirect(page_of(started))
        if confirmed:
            messages.warning(request, "The profile was changed meanwhile. This is what would happen now.")
        return self._show_plan(request, form, make_plan(**what, seconds=MOST_SECONDS), latest)

    def rollout_form(self, request: HttpRequest, *data: object, **initial: object) -> RolloutForm:
        fields = ["name", "profile", "load", "ends_at", *service.PACE]
        form_class: Any = self.get_form(request, form=RolloutForm, fields=fields)
        form: RolloutForm = form_class(*data, initial=CAREFUL | initial)
        phones: Any = self.admin_site.get_model_admin(Phone)
        form.phones = phones.tenant_rows(request)
        field: Any = form.fields["group"]
        field.queryset = actor_of(request).sees(PhoneGroup.objects.all())
        loads: Any = form.fields["load"]
        names = _loads(actor_of(request).account)
        loads.choices = [("", "Choose a load"), *((load, load) for load in names)]
        loads.help_text = "" if names else "There is none yet: add it under Firmware."
        form.fields["profile"].help_text = "Empty: each phone gets the profile that it has, as it is now."
        return form

    def choose(self, request: HttpRequest, form: RolloutForm, *, firmware: bool = False) -> HttpResponse:
        macs = [mac for mac in (form["macs"].value() or "").split(",") if mac]
        return self.page(
            request,
            "phones_app/rollout/choose.html",
            "New rollout of firmware" if firmware else "New rollout",
            form=form,
            firmware=firmware,
            number=len(macs),
            chosen=[colons(mac) for mac in macs[:NAMED]],
            untold=max(0, len(macs) - NAMED),
            sources=[form[name] for name in SOURCES],
            pace=[form[name] for name in service.PACE],
            media=self.media + form.media,
        )

    def _show_plan(self, request: HttpRequest, form: RolloutForm, plan: Any, latest: int | None) -> HttpResponse:
        kept = {field.html_name: field.value() for field in form if field.html_name != "file"}
        if form.cleaned_data.get("file"):
            # A browser sends a file once, so the addresses in it go along instead.
            known = form.selection.phones.order_by("mac").values_list("mac", flat=True)
            kept["macs"] = ",".join([*known, *form.selection.unknown])
        kept["revision"] = latest
        return self.page(
            request,
            "phones_app/rollout/plan.html",
            "What would happen",
            plan=plan,
            most=plan.total + plan.unseen,
            rollout=form.instance,
            first=plan.waves[0][:NAMED] if plan.waves else [],
            sizes=[len(wave) for wave in plan.waves],
            models=plan.counted("model"),
            ways=plan.ways[:MOST_WAYS],
            servers=plan.servers(),
            kept=[(name, value) for name, value in kept.items() if value not in (None, "", False)],
        )
