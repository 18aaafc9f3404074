"""The PBX side on the pages of phones: the text for one phone or a selection, and what the PBX has of it."""

from collections.abc import Mapping

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.decorators import action
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin, allowed
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.errors import Refusal
from phones_app.configuration.pbx import MOST_PHONES, compared, dialect_of, needs_of
from phones_app.inventory.models import Phone
from profiles_app.phone import pbx
from profiles_app.phone.admin.revision import record_reveal

MAY_SEE = "profiles_app.view_line"


class PbxForm(forms.Form):
    """The phones in question as one field: a selection can have more rows than a form may have fields."""

    phones = forms.RegexField(r"^\d{1,18}(,\d{1,18})*$", widget=forms.HiddenInput)
    dialect = forms.ChoiceField(
        choices=list(pbx.DIALECTS.items()), required=False, label="Channel driver", widget=UnfoldAdminSelectWidget
    )
    context = forms.CharField(
        required=False,
        max_length=80,
        label="Dialplan context",
        widget=UnfoldAdminTextInputWidget,
        help_text="Where calls from these lines begin in extensions.conf; FreePBX: from-internal.",
    )

    def clean_phones(self) -> list[int]:
        return [int(key) for key in self.cleaned_data["phones"].split(",")]

    def clean_context(self) -> str:
        context = self.cleaned_data["context"] or pbx.CONTEXT
        try:
            pbx.pbx_text([], "pjsip", context=context)
        except pbx.UnsafeValue as why:
            raise ValidationError(str(why)) from None
        return str(context)


class PbxPages(PortalAdmin):
    """What the admin of phones has about their PBX."""

    pages = {"pbx": "pbx/"}
    has_pbx_permission = allowed(MAY_SEE)

    @action(description="PBX side…", icon="settings_phone", permissions=["pbx"])
    def pbx_one(self, request: HttpRequest, object_id: str) -> HttpResponse:
        phone = self.row_or_404(request, object_id)
        return HttpResponseRedirect(f"{self.url_of('pbx')}?phones={phone.pk}")

    @admin.action(description="PBX side…", permissions=["pbx"])
    def pbx_selected(self, request: HttpRequest, queryset: QuerySet[Phone]) -> HttpResponse:
        keys = ",".join(map(str, queryset.order_by("mac").values_list("pk", flat=True)[: MOST_PHONES + 1]))
        return self._pbx(request, {"phones": keys})

    def pbx_page(self, request: HttpRequest) -> HttpResponse:
        """The text; with `download` as a file, with `compare` with what the call managers say that they have."""
        self.require(request, MAY_SEE)
        return self._pbx(request, request.POST if request.method == "POST" else request.GET)

    def _pbx(self, request: HttpRequest, asked: Mapping[str, str]) -> HttpResponse:
        form = PbxForm(asked)
        if not form.is_valid() and "phones" in form.errors:
            raise Http404("There are no phones to be told of.")
        chosen = form.cleaned_data.get("phones", [])
        rows = self.tenant_rows(request).filter(pk__in=chosen[: MOST_PHONES + 1])
        phones = list(rows.select_related("call_manager").defer("web_password").order_by("mac"))
        if not phones:
            raise Http404("There is no such phone.")
        actor = actor_of(request)
        try:
            needs = needs_of(phones, actor)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self.url_of("changelist"))
        dialect = form.cleaned_data.get("dialect") or dialect_of(phones)
        context = form.cleaned_data.get("context", pbx.CONTEXT)
        text = pbx.pbx_text(needs.phones, dialect, context=context)
        for profile in needs.shown:
            record_reveal(request, profile)
        if "download" in asked and form.is_valid():
            answer = HttpResponse(text, content_type="text/plain; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="patchbay-{dialect}.conf"'
            return answer
        if form.is_valid():
            given = {"phones": ",".join(map(str, chosen)), "dialect": dialect, "context": context}
            form = PbxForm(initial=given)
        return self.page(
            request,
            "phones_app/configuration/pbx.html",
            f"PBX side of {phones[0]}" if len(phones) == 1 else f"PBX side of {len(phones)} phones",
            form=form,
            phones=phones,
            needs=needs,
            text=text,
            hidden=any(phone.hidden for phone in needs.phones),
            compared=compared(phones, needs, actor) if "compare" in asked else [],
            back=self.url_of("changelist") if len(phones) > 1 else self.url_of("change", phones[0].pk),
        )
