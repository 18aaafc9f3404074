"""Messaging profiles: webhooks, and how the pool of numbers chooses a sender. Pages about other records of the messaging
API share that the account is chosen once, and that who changed what is shown."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from unfold.widgets import UnfoldAdminTextInputWidget

from contacts_app.core.admin.base import PortalAdmin, allowed, button
from contacts_app.core.admin.columns import column, count_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import page_of
from contacts_app.core.lists.search import NOTHING, number_match, one_of
from contacts_app.core.values import digits, masked_url
from contacts_app.people.models import REVEAL
from profiles_app.messaging.models import WEBHOOKS, MessagingProfile, NumberLease
from profiles_app.messaging.sending.message_events import renew_secret
from profiles_app.messaging.services import delete_messaging_profile, save_messaging_profile

RECORD = ("uuid", ("created_at", "created_by"), ("updated_at", "modified_by"))
SHORTEST_PART, SHORTEST_NATIONAL, LONGEST_NUMBER = 3, 7, 15


def telephone_numbers(term: str) -> Q:
    """Leases whose number begins with these digits, or ends with them if they can be one without its country's code."""
    number = digits(term)
    if not SHORTEST_PART <= len(number) <= LONGEST_NUMBER:
        return NOTHING
    found = number_match("tn", number)
    return found | Q(tn__iendswith=number) if len(number) >= SHORTEST_NATIONAL else found


class OwnedAdmin(PortalAdmin):
    list_select_related: ClassVar[tuple[str, ...]] = ("account",)
    autocomplete_fields: ClassVar[tuple[str, ...]] = ("account",)
    readonly_fields: ClassVar[tuple[str, ...]] = ("uuid", "created_at", "created_by", "updated_at", "modified_by")
    # What refers to the record belongs to the same account, so it stays there.
    chosen_once: tuple[str, ...] = ("account",)


class MessagingProfileForm(forms.ModelForm):  # type: ignore[type-arg]
    """People who may not see secrets get webhooks without their secret part; sent back like that they stay."""

    reveals = False

    class Meta:
        model = MessagingProfile
        fields = "__all__"  # noqa: DJ007 -- the page's fieldsets say which
        widgets = dict.fromkeys(WEBHOOKS, UnfoldAdminTextInputWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored = {name: getattr(self.instance, name) for name in WEBHOOKS}
        if not self.reveals:
            self.initial.update({name: masked_url(url) for name, url in self.stored.items()})

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        for name in WEBHOOKS:
            if name in given:
                unchanged = not self.reveals and given[name] == masked_url(self.stored[name])
                given[name] = self.stored[name] if unchanged else given[name] or None
        return given

    def _get_validation_exclusions(self) -> set[str]:
        """There is one default; that is not checked here, as a new one takes over when the service stores it."""
        return {*super()._get_validation_exclusions(), "is_default"}  # type: ignore[misc]


@admin.register(MessagingProfile)
class MessagingProfileAdmin(OwnedAdmin):
    form = MessagingProfileForm
    list_display = (
        *("name", "account", "is_default", "number_count", "webhook", "number_pool_enable"),
        *("shares", "skip_unhealthy_tns", "sticky_sender", "updated_at"),
    )
    list_filter = (*("number_pool_enable", "skip_unhealthy_tns", "sticky_sender", "is_default"), "account")
    search_fields = ("name", "account__name")
    search_help_text = "Name, account, or a number that uses the profile"
    actions_detail = ["make_default", "new_signing_secret"]
    readonly_fields = (*OwnedAdmin.readonly_fields, "webhook", "second_webhook")
    number_count = count_column("leases", "Numbers")
    shares = column("Long codes : toll-free", lambda row: f"{row.long_code_weight} : {row.tollfree_weight}")
    webhook = column("Webhook", lambda profile: masked_url(profile.callback_url))
    second_webhook = column("Second webhook", lambda profile: masked_url(profile.callback_url2))
    _reveals = allowed(REVEAL)

    def term_match(self, term: str) -> Q:
        numbers = telephone_numbers(term)
        if numbers == NOTHING:
            return NOTHING
        return one_of("pk", NumberLease.objects.filter(numbers).values("messaging_profile"))

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **kwargs)
        form.reveals = self._reveals(request)
        return form

    def get_fieldsets(self, request: HttpRequest, obj: MessagingProfile | None = None) -> Any:
        """A person with view permission only gets no form that could hide what is secret."""
        looks_only = not self.has_change_permission(request, obj) and not self._reveals(request)
        webhooks = ("webhook", "second_webhook") if obj and looks_only else WEBHOOKS
        weights = ("long_code_weight", "tollfree_weight")
        return (
            (None, {"fields": ("name", "account", "is_default")}),
            ("Webhooks", {"fields": webhooks}),
            ("Number pool", {"fields": ("number_pool_enable", weights, "skip_unhealthy_tns", "sticky_sender")}),
            ("Opt-out", {"fields": ("opt_out_words", "opt_in_words")}),
            ("Record", {"fields": RECORD}),
        )

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        default = isinstance(obj, MessagingProfile) and obj.is_default
        return super().has_delete_permission(request, obj) and not default

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """Numbers stand in nobody's way where they move to the default profile."""
        deleted, count, missing, protected = super().get_deleted_objects(objs, request)
        return deleted, count, missing, [] if settings.MESSAGING_DELETE_MOVES_NUMBERS else protected

    def save_model(self, request: HttpRequest, obj: MessagingProfile, form: Any, change: bool) -> None:
        changed = form.changed_data if change else None
        save_messaging_profile(obj, actor=actor_of(request), changed=changed)

    def delete_model(self, request: HttpRequest, obj: MessagingProfile) -> None:
        delete_messaging_profile(obj, actor=actor_of(request))

    @button(
        "Make default…",
        question="Make {0} the default messaging profile of {0.account}?",
        logged="Made the default.",
        done="{0} is the default messaging profile of {0.account}.",
        icon="star",
    )
    def make_default(self, request: HttpRequest, profile: MessagingProfile) -> None:
        profile.is_default = True
        save_messaging_profile(profile, actor=actor_of(request), changed={"is_default"})

    @button(
        "New signing secret…",
        question="Give {0} a new secret to sign webhooks with? Receivers that check the former one refuse them.",
        yes="New secret",
        logged="Was given a new signing secret.",
        icon="key",
    )
    def new_signing_secret(self, request: HttpRequest, profile: MessagingProfile) -> HttpResponse:
        template = "profiles_app/events/callback_signing_secret.html"
        page = self.page(request, template, str(profile), back=page_of(profile), secret=renew_secret(profile))
        add_never_cache_headers(page)
        return page
