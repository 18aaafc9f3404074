"""The ground all admin pages stand on: people see their own account's rows; secrets go in and never out."""

from collections.abc import Callable, Iterator
from datetime import datetime, time, timedelta
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.contrib.admin import ShowFacets
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import (
    Count,
    ForeignKey,
    IntegerField,
    Model,
    OuterRef,
    QuerySet,
    Subquery,
    TextField,
)
from django.db.models.functions import Coalesce
from django.forms import ModelForm
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.timezone import make_aware
from django.views.decorators.debug import sensitive_post_parameters
from unfold.contrib.filters.admin import AutocompleteSelectFilter, RangeDateFilter
from unfold.decorators import display
from unfold.utils import parse_date_str
from unfold.widgets import (
    UnfoldAdminExpandableTextareaWidget,
    UnfoldAdminPasswordToggleWidget,
    UnfoldBooleanSwitchWidget,
)

from contacts_app.core.admin.frame import actor_of
from contacts_app.core.errors import Refusal
from contacts_app.core.history.admin import HistoryPages
from contacts_app.core.lists.admin import BigListAdmin


def count_of(model: type[Model], relation: str) -> Coalesce:
    """How many rows point at one of the model, counted for the rows of a page only: joined they would multiply."""
    pointer: Any = model._meta.get_field(relation)
    # Seen from either side of a many-to-many.
    name = pointer.remote_field.name if pointer.concrete else pointer.field.name
    rows = pointer.related_model._default_manager.filter(**{name: OuterRef("pk")}).order_by().values(name)
    counted = rows.annotate(number=Count("pk")).values("number")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def count_column(relation: str, description: str) -> Any:
    """A column of a list that says how many rows point at one over `relation`; `PortalAdmin` counts them."""

    @display(description=description)
    def column(pages: Any, row: Any) -> int:
        return int(getattr(row, f"{relation}_counted"))

    column.counts = relation
    return column


class PortalAdmin(BigListAdmin, HistoryPages):
    """Base of every page about a model.

    `tenant_path` leads from a row to its account; None: the rows are nobody's, and only staff change them.
    `tenant_shares`: rows without an account are seen by everybody and changed by staff only.
    `goes_along`: nobody deletes these rows by themselves, but they go along with what they belong to.
    """

    tenant_path: str | None = "account"
    tenant_shares = False
    goes_along = False
    # Fields that are chosen when a row is made, and read only from then on.
    chosen_once: tuple[str, ...] = ()
    # Counting every choice of every filter would read the table as often.
    show_facets = ShowFacets.NEVER
    list_per_page = 25
    list_max_show_all = 500
    list_filter_submit = True
    list_fullwidth = True
    compressed_fields = True
    formfield_overrides = {TextField: {"widget": UnfoldAdminExpandableTextareaWidget}}
    warn_unsaved_form = True

    def all_rows(self, request: HttpRequest) -> QuerySet[Any]:
        """Every row there is: nothing for a page, but what `tenant_rows` narrows down."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows

    def tenant_rows(self, request: HttpRequest) -> QuerySet[Any]:
        """The rows that this person may see, without whatever lists add to them."""
        rows = self.all_rows(request)
        if self.tenant_path is None:
            return rows
        return actor_of(request).sees(rows, self.tenant_path, shared=self.tenant_shares)

    def get_queryset(self, request: HttpRequest) -> Any:
        columns: list[Any] = [getattr(self, str(name), None) for name in self.list_display]
        counted = [column.counts for column in columns if hasattr(column, "counts")]
        counts = {f"{relation}_counted": count_of(self.model, relation) for relation in counted}
        return self.tenant_rows(request).annotate(**counts)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, *self.chosen_once) if obj else fixed

    def is_theirs(self, request: HttpRequest, row: Model | None) -> bool:
        """Whether the person's account owns the row; staff own everything."""
        if row is None or not isinstance(row, Model) or actor_of(request).account is None:
            return True
        return self.tenant_path is not None and not (self.tenant_shares and row.account_id is None)  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and (
            self.tenant_path is not None or actor_of(request).account is None
        )

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and self.is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and self.is_theirs(request, obj)

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: Any) -> Any:  # type: ignore[type-arg]
        """Only rows that the person may see can be chosen; a tenant's own rows always name the account."""
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(related, PortalAdmin) and "queryset" not in kwargs:
            kwargs["queryset"] = related.tenant_rows(request)
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        actor = actor_of(request)
        if db_field.name == "account" and not actor.is_staff:
            # What has no account belongs to the whole portal, which is the business of its staff.
            field.required, field.initial = True, actor.account and actor.account.pk
        return field

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, count, missing, protected = super().get_deleted_objects(objs, request)
        along = {
            pages.opts.verbose_name
            for pages in self.admin_site._registry.values()
            if getattr(pages, "goes_along", 0)
        }
        return deleted, count, missing - along, protected

    def _get_obj_does_not_exist_redirect(
        self, request: HttpRequest, opts: Any, object_id: str
    ) -> HttpResponse:
        # Somebody else's row is as absent here as it is in REST.
        raise Http404(f"There is no {opts.verbose_name} {unquote(object_id)!r}.")

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, unquote(str(object_id)))
        if row is None:
            raise Http404
        return row

    @method_decorator(sensitive_post_parameters())
    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **kwargs)
        except (IntegrityError, Refusal):
            # Somebody else was quicker between the form's check and the writing. Their row is there now, so that the
            # form itself says what is wrong, beside what was typed.
            return super().changeform_view(request, *args, **kwargs)

    def confirmed(
        self, request: HttpRequest, *, question: str, button: str, back: str
    ) -> HttpResponse | None:
        """None when the person has said yes, else the page that asks: following a link does nothing."""
        if request.method == "POST":
            return None
        return self.page(
            request, "contacts_app/core/confirm.html", question, button=button, back=back, model_admin=self
        )

    def act_on(
        self,
        request: HttpRequest,
        object_id: str,
        act: Callable[[Any], Any],
        *,
        question: str,
        button: str,
        logged: str,
        done: str,
    ) -> HttpResponse:
        """What a button on the page of a row does once the person has said yes; `{0}` in the texts is the row."""
        row = self.row_or_404(request, object_id)
        page_of = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        back = reverse(page_of, args=[row.pk])
        if page := self.confirmed(request, question=question.format(row), button=button, back=back):
            return page
        try:
            made = act(row)
        except Refusal as refusal:
            messages.error(request, refusal.message)
            return HttpResponseRedirect(back)
        self.log_change(request, row, logged)
        messages.success(request, done.format(row))
        return HttpResponseRedirect(
            reverse(page_of, args=[made.pk]) if isinstance(made, self.model) else back
        )

    def require(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(permission):
            raise PermissionDenied


class ReadOnlyAdmin(PortalAdmin):
    """Rows that Patchbay writes itself."""

    goes_along = True
    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class SecretField(forms.CharField):
    """A password that can be typed and is never shown again; typing nothing is no change."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminPasswordToggleWidget(attrs={"autocomplete": "new-password"})
        super().__init__(required=False, strip=False, widget=widget, **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(data)


class SecretForm(ModelForm):  # type: ignore[type-arg]
    """A form for a model with one encrypted field, named by `kept_in`; its value never reaches the form."""

    kept_in = "password"
    new_secret = SecretField(label="Password")
    forget_secret = forms.BooleanField(
        label="Forget the password", required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = (
            self.instance.pk is not None
            and type(self.instance)
            ._default_manager.filter(pk=self.instance.pk)
            .exclude(**{self.kept_in: ""})
            .exists()
        )
        # Fields are missing where the person may only look.
        if field := self.fields.get("new_secret"):
            field.help_text = "One is stored; leave this empty to keep it." if stored else "None is stored."

    def save(self, commit: bool = True) -> Any:
        if new := self.cleaned_data.get("new_secret"):
            setattr(self.instance, self.kept_in, new)
        elif self.cleaned_data.get("forget_secret"):
            setattr(self.instance, self.kept_in, "")
        return super().save(commit)


class SameAccountForm(ModelForm):  # type: ignore[type-arg]
    """A form whose row refers to others of its account only: `same_account` says what is wrong with any other."""

    same_account: ClassVar[dict[str, str]] = {}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        account = given.get("account") or (self.instance.account if self.instance.pk else None)
        for name, refusal in self.same_account.items():
            if account and given.get(name) and given[name].account_id != account.pk:
                self.add_error(name, refusal)
        return given


class TenantFilter(AutocompleteSelectFilter):  # type: ignore[misc]
    """A list filter by a related row, chosen by typing, which knows only rows that the person may see."""

    def choices(self, changelist: Any) -> Iterator[dict[str, Any]]:
        related = changelist.model_admin.admin_site.get_model_admin(self.field.remote_field.model)
        for choice in super().choices(changelist):
            choice["form"].fields[self.lookup_kwarg].queryset = related.tenant_rows(self.request)
            yield choice


class DayRangeFilter(RangeDateFilter):  # type: ignore[misc]
    """A list filter by whole days, the last one included."""

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        for end, lookup, days in (("from", "gte", 0), ("to", "lt", 1)):
            day = parse_date_str(self.used_parameters.get(f"{self.parameter_name}_{end}", ""))
            if day is not None:
                midnight = make_aware(datetime.combine(day + timedelta(days=days), time.min))
                queryset = queryset.filter(**{f"{self.parameter_name}__{lookup}": midnight})
        return queryset
