"""Accounts, their groups and their extensions."""

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from django.contrib import admin, messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseRedirect
from django.utils.text import capfirst

from contacts_app.accounts.models import Account, AccountGroup, Extension
from contacts_app.accounts.services import NAMED, delete_accounts, save_account, what_blocks, what_goes
from contacts_app.core.admin.base import PortalAdmin, ReadOnlyAdmin
from contacts_app.core.admin.columns import column, count_column
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.errors import Refusal


@admin.register(Account)
class AccountAdmin(PortalAdmin):
    list_display: tuple[str, ...] = (
        *("name", "voip_id", "email", "user_count", "phone_count", "is_active", "created_at"),
    )
    list_filter = ("is_active", "groups", "parent")
    search_fields = ("name", "voip_id", "email")
    search_help_text = "Name, VoIP id or email"
    autocomplete_fields = ("parent", "groups")
    user_count = count_column("users", "Users")
    phone_count = count_column("phones", "Phones")
    readonly_fields: ClassVar[tuple[str, ...]] = ("uuid", "created_at", "updated_at")
    delete_confirmation_template = "contacts_app/accounts/delete_confirmation.html"
    delete_selected_confirmation_template = "contacts_app/accounts/delete_selected_confirmation.html"
    fieldsets: ClassVar[tuple[Any, ...]] = (
        (None, {"fields": ("name", "voip_id", "email", ("level", "balance"), "time_zone", "is_active")}),
        ("Customer of", {"fields": ("parent", "groups")}),
        ("Record", {"fields": ("uuid", "created_at", "updated_at")}),
    )

    def tenant_rows(self, request: HttpRequest) -> QuerySet[Account]:
        actor, rows = actor_of(request), self.all_rows(request)
        return actor.sees(rows) if actor.account is None else rows.filter(pk=actor.account.pk)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and actor_of(request).account is None

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super().has_delete_permission(request, obj) and actor_of(request).account is None

    def get_readonly_fields(self, request: HttpRequest, obj: Account | None = None) -> tuple[str, ...]:
        """The number stands in other people's URLs, what is granted is the provider's, nobody locks themselves out."""
        given = ("voip_id", "level", "balance", "parent", "groups", "is_active")
        own = given if actor_of(request).account is not None else ()
        return (*own, *self.readonly_fields)

    def save_model(self, request: HttpRequest, obj: Account, form: object, change: bool) -> None:
        save_account(obj)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What the page asks about, for one account as for many: every kind counted, the first of each named."""
        accounts = list(objs)
        going = what_goes(accounts)
        registry = self.admin_site._registry
        pages = {one.model: registry[one.model] for one in going if one.model in registry}
        missing = {
            str(model._meta.verbose_name)
            for model, page in pages.items()
            if not getattr(page, "goes_along", False)
            and not request.user.has_perm(f"{model._meta.app_label}.delete_{model._meta.model_name}")
        }
        counts = {str(one.model._meta.verbose_name_plural): one.told() for one in going}
        named: list[object] = []
        for one in going:
            # What Patchbay writes itself is counted; its names would say nothing.
            if one.model in pages and not isinstance(pages[one.model], ReadOnlyAdmin):
                rest = [f"… and {one.told(NAMED)} more"] if one.count > NAMED else []
                named += [f"{capfirst(str(one.model._meta.verbose_name_plural))}: {one.told()}", [*one.names, *rest]]
        return named, counts, missing, what_blocks(accounts)

    def delete_model(self, request: HttpRequest, obj: Account) -> None:
        delete_accounts([obj])

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Account]) -> None:
        delete_accounts(list(queryset))

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_refused(request, partial(super().delete_view, request, *args, **kwargs))

    def response_action(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        return self._unless_refused(request, partial(super().response_action, request, *args, **kwargs))

    def _unless_refused(self, request: HttpRequest, deletion: Callable[[], object]) -> object:
        """What was in no one's way when the page asked may be in the way when the answer comes."""
        try:
            with transaction.atomic():
                return deletion()
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(self.url_of("changelist"))


@admin.register(AccountGroup)
class AccountGroupAdmin(PortalAdmin):
    list_display = ("name", "owner", "member_count", "updated_at")
    member_count = count_column("members", "Accounts")
    owner = column("Owner", lambda group: group.account or "portal")
    list_select_related = ("account",)
    list_filter = ("account",)
    search_fields = ("name", "account__name")
    search_help_text = "Name or owner"
    autocomplete_fields = ("account",)
    readonly_fields = ("created_at", "updated_at")
    fieldsets = ((None, {"fields": ("name", "account")}), ("Record", {"fields": ("created_at", "updated_at")}))


@admin.register(Extension)
class ExtensionAdmin(PortalAdmin):
    list_display = ("number", "name", "account", "created_at")
    list_display_links = ("number",)
    list_select_related = ("account",)
    search_fields = ("number", "name", "account__name")
    search_help_text = "Number, name or account"
    list_filter = ("account",)
    autocomplete_fields = ("account",)
    readonly_fields = ("created_at", "updated_at")
    fieldsets = (
        (None, {"fields": ("account", "number", "name")}),
        ("Record", {"fields": ("created_at", "updated_at")}),
    )
