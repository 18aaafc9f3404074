"""Who may log in on phones, where and for how long; and the base profiles that phones go back to."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.columns import column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.history.records import save_recorded
from phones_app.inventory.models import Phone
from phones_app.mobility.models import MobilityPolicy, MobilitySession, PersonMobility
from profiles_app.phone.rendering.keys import LINE, all_kinds


def duration(minutes: int | None) -> str:
    """As people read it: 480 is 8:00."""
    return f"{minutes // 60}:{minutes % 60:02d} h" if minutes else "–"


class MobilityPolicyForm(forms.ModelForm):  # type: ignore[type-arg]
    own_key_kinds = forms.MultipleChoiceField(
        label="Keys that people set",
        choices=[(kind.name, kind.label) for kind in all_kinds() if kind.needs != LINE],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        required=False,
        help_text="What people may put on the keys of their phones by themselves, in the portal.",
    )

    class Meta:
        model = MobilityPolicy
        fields = (
            *("account", "location", "second_phone", "longest_minutes", "daily_logout", "idle_minutes"),
            *("remember_last_user", "own_key_kinds"),
        )


@admin.register(MobilityPolicy)
class MobilityPolicyAdmin(PortalAdmin):
    form = MobilityPolicyForm
    list_display = ("account", "place", "second_phone", "longest", "daily_logout", "idle", "remember_last_user")
    list_display_links = ("account", "place")
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("location", "account__name")
    search_help_text = "Location or account"
    autocomplete_fields = ("account",)
    chosen_once = ("account",)
    fields = MobilityPolicyForm.Meta.fields
    place = column("Location", lambda row: row.location or "all others", ordering="location")
    longest = column("Longest log-in", lambda row: duration(row.longest_minutes))
    idle = column("Log-out without use", lambda row: duration(row.idle_minutes))


class PersonMobilityForm(forms.ModelForm):  # type: ignore[type-arg]
    class Meta:
        model = PersonMobility
        fields = ("user", "is_allowed", "longest_minutes", "profiles")

    def clean(self) -> dict[str, Any]:
        """A file holds the SIP credentials of its account; profiles of staff are for everybody."""
        given = super().clean() or {}
        person = given.get("user") or self.instance.user
        foreign = [
            profile.name
            for profile in given.get("profiles", ())
            if profile.user.account_id not in (None, person.account_id)
        ]
        if foreign:
            raise ValidationError({"profiles": f"Of another account: {', '.join(foreign)}."})
        return given


@admin.register(PersonMobility)
class PersonMobilityAdmin(PortalAdmin):
    """Without a row a person may log in, as the policy says, with the profiles that they own."""

    form = PersonMobilityForm
    tenant_path = "user__account"
    list_display = ("user", "is_allowed", "longest", "assigned")
    list_select_related = ("user",)
    list_filter = ("is_allowed",)
    search_fields = ("user__email", "user__first_name", "user__last_name")
    search_help_text = "Email or name"
    autocomplete_fields = ("user", "profiles")
    chosen_once = ("user",)
    longest = column("Longest log-in", lambda row: duration(row.longest_minutes))
    assigned = column("Assigned profiles", lambda row: ", ".join(profile.name for profile in row.profiles.all()) or "–")

    def get_queryset(self, request: HttpRequest) -> QuerySet[PersonMobility]:
        rows: QuerySet[PersonMobility] = super().get_queryset(request).prefetch_related("profiles")
        return rows


class BaseProfiles(PortalAdmin):
    """What the pages of phones have of it."""

    @admin.action(description="Make the current profile the base profile", permissions=["change"])
    def base_selected(self, request: HttpRequest, queryset: QuerySet[Phone]) -> None:
        """So that people can log in on these phones, and log-outs bring this profile back."""
        rows = actor_of(request).sees(Phone.objects.filter(pk__in=queryset.values("pk"))).defer("web_password")
        in_use = MobilitySession.objects.filter(ended_at=None, phone__in=rows.values("pk")).values("phone")
        found = list(rows.exclude(current_profile=None).exclude(pk__in=in_use))
        changed = [phone for phone in found if phone.base_profile_id != phone.current_profile_id]
        for phone in changed:
            phone.base_profile_id = phone.current_profile_id
        save_recorded(changed, ["base_profile"])
        left = rows.count() - len(changed)
        messages.info(request, f"With a new base profile: {len(changed)}. As they were: {left}.")
