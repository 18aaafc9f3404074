"""The ground all admin pages stand on: people see their own account's rows and do what they are permitted to."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.admin import ModelAdmin, ShowFacets
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError
from django.db.models import DateTimeField, ForeignKey, Model, QuerySet, TextField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminExpandableTextareaWidget

from contacts_app.core.admin.columns import ago_column, column, count_of, filter_of
from contacts_app.core.admin.forms import DayAndTime
from contacts_app.core.admin.frame import actor_of
from contacts_app.core.admin.links import page_of
from contacts_app.core.admin.own_lists import OwnLists
from contacts_app.core.errors import Refusal
from contacts_app.core.history.admin import HistoryPages
from contacts_app.core.history.authorship import one_line
from contacts_app.core.lists.admin import BigListAdmin


def allowed(permission: str) -> Callable[..., bool]:
    """A `has_…_permission` of a page that asks for this one, for actions that name no permission of Django's own.

    Named in the action itself, the permission would be looked up before there is a database.
    """

    def has_permission(pages: object, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm(permission)

    return has_permission


def button(
    description: str,
    *,
    question: str,
    yes: str = "",
    logged: str = "",
    done: str = "",
    icon: str,
    permission: str = "change",
    dangerous: bool = False,
    reason: str = "",
) -> Callable[[Callable[[Any, HttpRequest, Any], Any]], Callable[..., HttpResponse]]:
    """A button on the page of a row that does something once the person has confirmed it with `yes`, else the same words.

    `{0}` in the texts is the row. What is done may return a page, or a row of the model to go to; a refusal is told.
    `reason` has the person asked for one, in these words, where the history does not ask for it anyhow (`reason_in`).
    """

    def decorate(act: Callable[[Any, HttpRequest, Any], Any]) -> Callable[..., HttpResponse]:
        @action(
            description=description,
            icon=icon,
            permissions=[permission],
            variant=ActionVariant.DANGER if dangerous else ActionVariant.DEFAULT,
        )
        @wraps(act)
        def pressed(pages: "PortalAdmin", request: HttpRequest, object_id: str) -> HttpResponse:
            row = pages.row_or_404(request, object_id)
            words, back = question.format(row), page_of(row)
            yes_words = yes or description.rstrip("…")
            if page := pages.confirmed(request, question=words, button=yes_words, back=back, reason=reason):
                return page
            try:
                made = act(pages, request, row)
            except Refusal as refusal:
                messages.error(request, refusal.message)
                return HttpResponseRedirect(back)
            if logged:
                pages.log_change(request, row, logged)
            if done:
                messages.success(request, done.format(row))
            if isinstance(made, HttpResponse):
                return made
            return HttpResponseRedirect(page_of(made) if isinstance(made, pages.model) else back)

        return pressed

    return decorate


def reason_in(request: HttpRequest) -> str:
    """What the person gave as the reason, on one line."""
    return one_line(request.POST.get("_reason", ""))


class PortalAdmin(OwnLists, BigListAdmin, HistoryPages):
    """Base of every page about a model.

    `tenant_path` leads from a row to its account; None: the rows are nobody's, and only staff change them.
    `tenant_shares`: rows without an account are seen by everybody and changed by staff only.
    `goes_along`: nobody deletes these rows by themselves, but they go along with what they belong to.
    `chosen_once`: fields that are chosen when a row is made, and read only from then on.
    `deletable`: False where nobody may delete a row.
    """

    tenant_path: str | None = "account"
    tenant_shares = False
    goes_along = False
    deletable = True
    chosen_once: tuple[str, ...] = ()
    # Counting every choice of every filter would read the table as often.
    show_facets = ShowFacets.NEVER
    list_per_page = 25
    list_max_show_all = 500
    list_filter_submit = True
    list_fullwidth = True
    compressed_fields = True
    formfield_overrides = {
        TextField: {"widget": UnfoldAdminExpandableTextareaWidget},
        DateTimeField: {"widget": DayAndTime},
    }
    warn_unsaved_form = True
    # Unfold's pages ask for them at each field; what is missing is looked for in all that the class has.
    conditional_fields: ClassVar[dict[str, str]] = {}

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

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        columns: list[Any] = [getattr(self, str(name), None) for name in self.get_list_display(request)]
        counted = [column.counts for column in columns if hasattr(column, "counts")]
        counts = {f"{relation}_counted": count_of(self, request, relation) for relation in counted}
        rows: QuerySet[Any] = self.tenant_rows(request).annotate(**counts)
        return rows

    def get_list_filter(self, request: HttpRequest) -> list[Any]:
        """A field's name stands for a filter that suits it, the name of a filter's class for itself."""
        filters = super().get_list_filter(request)
        return [filter_of(self.model, one) if isinstance(one, str) else one for one in filters]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = super().get_readonly_fields(request, obj)
        return (*fixed, *self.chosen_once) if obj else fixed

    def is_theirs(self, request: HttpRequest, row: object) -> bool:
        """Whether the person's account owns the row; staff own everything."""
        if not isinstance(row, Model) or actor_of(request).account is None:
            return True
        return self.tenant_path is not None and not (self.tenant_shares and row.account_id is None)  # type: ignore[attr-defined]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return super().has_add_permission(request) and (
            self.tenant_path is not None or actor_of(request).account is None
        )

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return super().has_change_permission(request, obj) and self.is_theirs(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        may = self.deletable and super().has_delete_permission(request, obj)
        return may and self.is_theirs(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        """One after the other where a service deletes a row."""
        if type(self).delete_model is ModelAdmin.delete_model:
            return super().delete_queryset(request, queryset)
        for row in queryset:
            self.delete_model(request, row)
        return None

    def formfield_for_foreignkey(self, db_field: ForeignKey, request: HttpRequest, **kwargs: object) -> Any:  # type: ignore[type-arg]
        """Only rows that the person may see can be chosen; a tenant's own rows always name the account."""
        related = self.admin_site._registry.get(db_field.remote_field.model)
        if isinstance(related, PortalAdmin) and "queryset" not in kwargs:
            kwargs["queryset"] = related.tenant_rows(request)
        field: Any = super().formfield_for_foreignkey(db_field, request, **kwargs)
        actor = actor_of(request)
        if db_field.name == "account" and not actor.is_staff:
            # What has no account belongs to the whole portal, which is the business of its staff.
            field.required, field.initial = True, actor.account and actor.account.pk
        return field

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        deleted, count, missing, protected = super().get_deleted_objects(objs, request)
        registered = self.admin_site._registry.values()
        along = {pages.opts.verbose_name for pages in registered if getattr(pages, "goes_along", 0)}
        return deleted, count, missing - along, protected

    def _get_obj_does_not_exist_redirect(self, request: HttpRequest, opts: Any, object_id: str) -> HttpResponse:
        # Somebody else's row is as absent here as it is in REST.
        raise Http404(f"There is no {opts.verbose_name} {unquote(object_id)!r}.")

    def row_or_404(self, request: HttpRequest, object_id: object) -> Any:
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

    def shown(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        """What the page of a row shows beside its form."""
        return {}

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if row := kwargs.get("obj"):
            context.update(self.shown(request, row))
        return super().render_change_form(request, context, *args, **kwargs)

    def confirmed(
        self, request: HttpRequest, *, question: str, button: str, back: str, reason: str = ""
    ) -> HttpResponse | None:
        """None when the person has said yes, else the page that asks: following a link does nothing."""
        if request.method == "POST":
            return None
        shown = {"button": button, "back": back, "model_admin": self, "reason_label": reason}
        return self.page(request, "contacts_app/core/confirm.html", question, **shown)

    def require(self, request: HttpRequest, permission: str) -> None:
        if not request.user.has_perm(permission):
            raise PermissionDenied


class ReadOnlyAdmin(PortalAdmin):
    """Rows that Patchbay writes itself."""

    goes_along = True
    warn_unsaved_form = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


class RecordAdmin(ReadOnlyAdmin):
    """Rows that nobody deletes, each with a page of its own template that shows what `shown` gives.

    `live_template` is the part of the page that is asked for again while the row can change; it shows what `live`
    gives, and buttons to those who have the permission `may_act`.
    """

    deletable = False
    live_template: str
    may_act: str
    when = ago_column("created_at", "When")
    asked_by = column("Asked for by", lambda row: row.requested_by, ordering="requested_by")

    def get_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        # The page of a row shows no form.
        return () if obj else super().get_fields(request, obj)

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> Any:
        self.row_or_404(request, object_id)  # Absent even for a POST, which is forbidden.
        return super().change_view(request, object_id, *args, **kwargs)

    def live(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        raise NotImplementedError

    def shown(self, request: HttpRequest, row: Any) -> dict[str, Any]:
        may_act = request.user.has_perm(self.may_act)
        return self.live(request, row) | {"title": str(row), "may_act": may_act}

    def live_page(self, request: HttpRequest, pk: int) -> HttpResponse:
        self.require(request, f"{self.opts.app_label}.view_{self.opts.model_name}")
        # Without what a page shows beside it.
        context = RecordAdmin.shown(self, request, self.row_or_404(request, pk))
        return render(request, self.live_template, context)

    def act(self, request: HttpRequest, pk: int, change: Callable[[Any], Any]) -> HttpResponse:
        """Do something to a row, and go to its page or to that of the row made of it; a refusal is told."""
        self.require(request, self.may_act)
        row = self.row_or_404(request, pk)
        if request.method == "POST":
            try:
                row = change(row) or row
            except Refusal as refusal:
                messages.error(request, refusal.message)
        return HttpResponseRedirect(page_of(row))
