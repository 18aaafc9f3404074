"""Deploying to phones and restarting them: choose, look at what exactly would happen, then say yes."""

from contextlib import closing
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AutocompleteSelect
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from unfold.contrib.filters.admin import ChoicesCheckboxFilter
from unfold.decorators import action
from unfold.enums import ActionVariant

from contacts_app.core.actor import Actor
from contacts_app.core.admin.base import PortalAdmin, allowed
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import list_url, page_of
from contacts_app.core.counted import counted
from contacts_app.core.errors import Refusal
from contacts_app.core.lists.search import one_of
from phones_app.deployment.models import Deployment
from phones_app.deployment.preview import preview_deploy, preview_file, preview_restart, shown_of
from phones_app.deployment.request import MAY_DEPLOY, Deployed, deploy_many, restart_many
from phones_app.inventory.admin.selection import PhonesForm
from phones_app.inventory.models import Phone
from phones_app.templatetags.phone_labels import deployment_link
from phones_app.transports.ftp.pool import FtpPool
from profiles_app.phone.admin.revision import file_lines, may_reveal, record_reveal
from profiles_app.phone.models import PhoneProfile, Source, is_made

NAMED = 5


class ComparisonForm(forms.Form):
    phone = forms.IntegerField(max_value=2**63 - 1)
    profile = forms.IntegerField(max_value=2**63 - 1)


class DeployForm(forms.Form):
    profile = forms.ModelChoiceField(PhoneProfile.objects.none(), label="Phone profile")
    revision = forms.CharField(required=False, widget=forms.HiddenInput)


class StateOfLast(ChoicesCheckboxFilter):
    """By the state of the last deployment: the deployments are looked up first, as few are in most states."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        # As the address of the page says it.
        super().__init__(*args, **kwargs | {"field_path": "last_deployment__state"})
        self.title = "last deployment"

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if not (states := self.value()):
            return queryset
        deployments = Deployment.objects.filter(state__in=states).values("pk")
        return queryset.filter(one_of("last_deployment__deployment", deployments, order=["state", "-created_at"]))


def _last_of(phone: Phone) -> Deployment | None:
    last = getattr(phone, "last_deployment", None)
    return last.deployment if last else None


class DeployPages(PortalAdmin):
    """What the admin of phones has about deployments: a column, and the pages on which something happens to phones."""

    # `compare` is a fragment: one phone's new file beside its present ones, passwords masked. It is loaded on its own,
    # because the file server that it asks may be slow.
    pages = {"deploy": "deploy/", "restart": "restart/", "compare": "compare/"}
    has_deploy_permission = allowed(MAY_DEPLOY)
    deployed = column("Last deployment", lambda phone: deployment_link(_last_of(phone)))

    @action(description="Deploy…", icon="rocket_launch", permissions=["deploy"], variant=ActionVariant.PRIMARY)
    def deploy_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        phone = self.row_or_404(request, object_id)
        return HttpResponseRedirect(f"{self.url_of('deploy')}?phones={phone.pk}")

    @action(description="Restart…", icon="restart_alt", permissions=["deploy"])
    def restart_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        phone = self.row_or_404(request, object_id)
        return HttpResponseRedirect(f"{self.url_of('restart')}?phones={phone.pk}")

    @admin.action(description="Deploy a profile…", permissions=["deploy"])
    def deploy_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        return self._choose(request, self._profile_form(request, None), list(queryset))

    @admin.action(description="Restart…", permissions=["deploy"])
    def restart_selected(self, request: HttpRequest, queryset: Any) -> HttpResponse:
        phones = self._phones(request, queryset.values_list("pk", flat=True))
        return self._restart_preview(request, list(phones))

    def compare_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, MAY_DEPLOY)
        self.require(request, "profiles_app.view_phoneprofile")
        form = ComparisonForm(request.GET)
        if not form.is_valid():
            raise Http404("There is nothing to compare.")
        phone = self.row_or_404(request, form.cleaned_data["phone"])
        profiles: Any = self.admin_site.get_model_admin(PhoneProfile)
        profile = profiles.row_or_404(request, form.cleaned_data["profile"])
        try:
            with closing(FtpPool()) as pool:
                preview = preview_file(phone=phone, profile=profile, pool=pool)
        except Refusal as refusal:
            raise Http404(refusal.message) from None
        return render(request, "phones_app/deployment/comparison.html", {"preview": preview})

    def deploy_page(self, request: HttpRequest) -> HttpResponse:
        """Choose the profile, be shown what would happen, and with `confirm` let it happen."""
        self.require(request, MAY_DEPLOY)
        self.require(request, "profiles_app.view_phoneprofile")
        asked = request.POST if request.method == "POST" else request.GET
        phones = self._asked_phones(request, asked)
        form = self._profile_form(request, asked if "profile" in asked else None)
        if not form.is_valid():
            return self._choose(request, form, phones)
        profile = form.cleaned_data["profile"]
        confirmed = request.method == "POST" and "confirm" in request.POST
        actor = actor_of(request)
        if confirmed and form.cleaned_data["revision"] == _shown_now(profile, phones, actor):
            done = deploy_many(phones=phones, profile=profile, actor=actor)
            return self._done(request, done, "deployed", {"profile__id__exact": profile.pk})
        if confirmed:
            messages.warning(request, "A file was changed meanwhile. This is what would be uploaded now.")
        return self._deploy_preview(request, phones, profile)

    def restart_page(self, request: HttpRequest) -> HttpResponse:
        self.require(request, MAY_DEPLOY)
        phones = self._asked_phones(request, request.POST if request.method == "POST" else request.GET)
        if request.method == "POST" and "confirm" in request.POST:
            done = restart_many(phones=phones, actor=actor_of(request))
            return self._done(request, done, "restarted", {"kind__exact": Deployment.Kind.RESTART.value})
        return self._restart_preview(request, phones)

    def _asked_phones(self, request: HttpRequest, asked: QueryDict) -> list[Phone]:
        form = PhonesForm(asked)
        phones = list(self._phones(request, form.cleaned_data["phones"])) if form.is_valid() else []
        if not phones:
            raise Http404("None of these phones is there.")
        return phones

    def _phones(self, request: HttpRequest, keys: Any) -> Any:
        rows = self.tenant_rows(request).filter(pk__in=list(keys)).defer("web_password")
        return rows.select_related("account", "file_server", "call_manager", "current_profile")

    def _profile_form(self, request: HttpRequest, asked: QueryDict | None) -> DeployForm:
        form = DeployForm(asked)
        pages: Any = self.admin_site.get_model_admin(PhoneProfile)
        field: Any = form.fields["profile"]
        field.widget = AutocompleteSelect(Deployment._meta.get_field("profile"), self.admin_site)
        rows = pages.tenant_rows(request).exclude(revision=None, source=Source.FILE)
        field.queryset = rows.select_related("revision", "user")
        return form

    def _choose(self, request: HttpRequest, form: DeployForm, phones: list[Phone]) -> HttpResponse:
        return self.page(
            request,
            "phones_app/deployment/deploy.html",
            "Deploy a profile",
            form=form,
            keys=_keys(phones),
            phones=phones[:NAMED],
            untold=max(0, len(phones) - NAMED),
            media=self.media + form.media,
        )

    def _deploy_preview(self, request: HttpRequest, phones: list[Phone], profile: PhoneProfile) -> HttpResponse:
        preview = preview_deploy(phones=phones, profile=profile, actor=actor_of(request))
        record_reveal(request, profile)
        findings = {finding for plan in preview.plans for finding in plan.warnings}
        return self.page(
            request,
            "phones_app/deployment/deploy_preview.html",
            f"Deploy {profile}?",
            preview=preview,
            profile=profile,
            keys=_keys(phones),
            revealed=may_reveal(request),
            lines=file_lines(request, preview.plans[0].content if preview.plans else profile.content, findings),
            warnings=sorted(findings, key=lambda finding: finding.line or 0),
        )

    def _restart_preview(self, request: HttpRequest, phones: list[Phone]) -> HttpResponse:
        shown = {"preview": preview_restart(phones=phones, actor=actor_of(request)), "keys": _keys(phones)}
        return self.page(request, "phones_app/deployment/restart_preview.html", "Restart?", **shown)

    def _done(self, request: HttpRequest, done: Deployed, verb: str, where: dict[str, Any]) -> HttpResponse:
        for phone, refusal in done.refused[:NAMED]:
            messages.error(request, f"{phone} is not {verb}: {refusal.message}")
        if len(done.refused) > NAMED:
            more = len(done.refused) - NAMED
            messages.error(request, f"{counted(more, 'more phone')} {'is' if more == 1 else 'are'} not {verb}.")
        if len(done.deployments) == 1:
            return HttpResponseRedirect(page_of(done.deployments[0]))
        if not done.deployments:
            return HttpResponseRedirect(list_url(Phone))
        messages.success(request, f"{len(done.deployments)} phones are being {verb}.")
        return HttpResponseRedirect(list_url(Deployment, **where))


def _shown_now(profile: PhoneProfile, phones: list[Phone], actor: Actor) -> str:
    """What a preview would show now. One of a file need not be made for it."""
    made = deploy_many(phones=phones, profile=profile, actor=actor, dry_run=True) if is_made(profile) else Deployed()
    return shown_of(profile, made.deployments)


def _keys(phones: Any) -> str:
    return ",".join(str(phone.pk) for phone in phones)
