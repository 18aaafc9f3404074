"""The question before something is saved that files are made from: of how many phones the file changes, and how.

What was typed goes along to that page enciphered, as there may be passwords in it; nothing of it is stored meanwhile.
"""

import json
from collections.abc import Sequence
from typing import Any, ClassVar

from cryptography.fernet import InvalidToken
from django.core.exceptions import SuspiciousOperation
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.html import format_html

from contacts_app.core.admin.base import PortalAdmin
from contacts_app.core.admin.frame import tell
from contacts_app.core.secrets import cipher
from phones_app.configuration.changes import being_worked_out, outdated, unmade
from phones_app.configuration.effect import FileEffect
from phones_app.configuration.models import PhoneConfiguration
from phones_app.configuration.wanted import Configurations
from phones_app.inventory.models import Phone

CONFIRMED, EDIT, KEPT = "_confirmed", "_edit", "_kept"
# The answer that leads to the rollout at once.
ROLL_OUT = "roll-out"
GOOD_FOR = 60 * 60
NOTHING_SAVED = "Nothing is saved yet."


NAMED = 20
# So many are worked out while a person waits; a worker does the others.
WORKED_OUT_AT_ONCE = 1_000


def work_out(phones: QuerySet[Phone]) -> None:
    """Know now what these phones should run, where it is known that it has changed."""
    due = PhoneConfiguration.objects.filter(due_at__isnull=False, phone__in=phones.values("pk"))
    if keys := list(due.values_list("pk", flat=True)[:WORKED_OUT_AT_ONCE]):
        Configurations("admin").do(keys)


def restore(request: HttpRequest) -> None:
    """What was typed before the question, with the button of the answer."""
    try:
        kept = json.loads(cipher().decrypt(request.POST[KEPT].encode(), ttl=GOOD_FOR))
    except (InvalidToken, ValueError):
        raise SuspiciousOperation("The question was asked too long ago.") from None
    if kept["user"] != request.user.pk or kept["path"] != request.path:
        raise SuspiciousOperation("This was asked of somebody else.")
    posted = QueryDict(kept["posted"], mutable=True)
    for name in (CONFIRMED, EDIT, "_reason"):
        if name in request.POST:
            posted[name] = request.POST[name]
    request.POST = posted  # type: ignore[assignment]


def question(pages: PortalAdmin, request: HttpRequest, title: str, changed: FileEffect) -> HttpResponse:
    """The page that asks, from which the same form comes again with the answer."""
    kept = {"user": request.user.pk, "path": request.path, "posted": request.POST.urlencode()}
    return pages.page(
        request,
        "phones_app/configuration/confirm.html",
        title,
        changed=changed,
        more=changed.number - len(changed.examples),
        rolls_out=isinstance(pages, AsksBeforeSaving) and pages.may_roll_out(request),
        kept=cipher().encrypt(json.dumps(kept).encode()).decode(),
        reason=request.POST.get("_reason", ""),
    )


class AsksBeforeSaving(PortalAdmin):
    """For the pages of a model that files are made from. `rollout_page`, a page's name, comes from above."""

    rollout_page: ClassVar[str] = ""
    delete_confirmation_template = "phones_app/configuration/delete_confirmation.html"
    delete_selected_confirmation_template = "phones_app/configuration/delete_selected_confirmation.html"

    def may_roll_out(self, request: HttpRequest) -> bool:
        return False

    def effect(self, request: HttpRequest, before: Any, after: Any, form: Any) -> FileEffect | None:
        """What saving would do; None: no file is made from this. `before` is None for a new row."""
        raise NotImplementedError

    def concerned(self, request: HttpRequest, row: Any) -> QuerySet[Phone]:
        """The phones whose files are made from a row, as far as the person may see them."""
        raise NotImplementedError

    def behind(self, request: HttpRequest, row: Any) -> QuerySet[Phone]:
        """Those of them that have another file than they should run."""
        return self.concerned(request, row).filter(pk__in=outdated().values("pk"))

    def behind_context(self, request: HttpRequest, row: Any) -> dict[str, object]:
        """For `behind.html`."""
        phones, behind = self.concerned(request, row), self.behind(request, row)
        failed = unmade(phones).order_by("mac")
        first = failed.values_list("configuration__error", flat=True).first()
        return {
            "phone_count": phones.count(),
            "unmade_count": failed.count() if first else 0,
            "unmade": failed[:NAMED],
            "unmade_why": first,
            "behind_count": behind.count(),
            "behind": behind.order_by("mac")[:NAMED],
            "worked_out": being_worked_out(phones),
            "roll_out_url": self.url_of(self.rollout_page, row.pk) if self.rollout_page else "",
        }

    def changeform_view(self, request: HttpRequest, object_id: Any = None, *args: Any, **kwargs: Any) -> Any:
        if request.method == "POST":
            if KEPT in request.POST:
                restore(request)
            elif page := self._question(request, object_id):
                return page
        return super().changeform_view(request, object_id, *args, **kwargs)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (_BackAgain, form), {}) if EDIT in request.POST else form

    def _question(self, request: HttpRequest, object_id: Any) -> HttpResponse | None:
        before = self.row_or_404(request, object_id) if object_id else None
        may = self.has_change_permission(request, before) if before else self.has_add_permission(request)
        if not may:
            return None
        form_class = self.get_form(request, before, change=before is not None)
        form = form_class(request.POST, request.FILES, instance=before)
        if not form.is_valid():
            return None
        # The form has written into the row that it was given.
        stored = self.row_or_404(request, object_id) if object_id else None
        changed = self.effect(request, stored, form.instance, form)
        if changed is None or changed.is_nothing:
            return None
        return question(self, request, f"Save {form.instance}?", changed)

    def effect_of_deleting(self, request: HttpRequest, rows: Sequence[Any]) -> FileEffect | None:
        """What deleting rows together would do; None: no file is made from them while they can be deleted."""
        return None

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> Any:
        """With the phones whose files change; afterwards no page of the row is left to say how many they are."""
        row = self.row_or_404(request, object_id)
        changed = self.effect_of_deleting(request, [row]) if self.has_delete_permission(request, row) else None
        answer = super().delete_view(request, object_id, {**(extra_context or {}), **_deletion(changed)})
        if isinstance(answer, HttpResponseRedirect):
            _tell_of_deleted(request, changed)
        return answer

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *args: Any, **kwargs: Any) -> Any:
        """The same before several rows are deleted that were chosen in the list."""
        answer = super().response_action(request, queryset, *args, **kwargs)
        context = getattr(answer, "context_data", None) or {}
        if "deletable_objects" in context and not (context["perms_lacking"] or context["protected"]):
            rows = list(context["queryset"])
            context |= _deletion(self.effect_of_deleting(request, rows), len(rows))
        return answer

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        changed = self.effect_of_deleting(request, list(queryset))
        super().delete_queryset(request, queryset)
        _tell_of_deleted(request, changed)

    def saved(self, request: HttpRequest, row: Any) -> None:
        """Say how to bring the change to the phones."""
        if self.rollout_page:
            link = self.url_of(self.rollout_page, row.pk)
            text = 'The phones get their new files when you roll them out. <a class="text-link" href="{}">Roll out…</a>'
            tell(request, True, format_html(text, link))

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if CONFIRMED in request.POST and not self._rolls_out(request):
            self.saved(request, form.instance)

    def _rolls_out(self, request: HttpRequest) -> bool:
        return request.POST.get(CONFIRMED) == ROLL_OUT and self.may_roll_out(request)

    def response_add(self, request: HttpRequest, obj: Any, *args: Any) -> HttpResponse:
        answer = super().response_add(request, obj, *args)
        return self._roll_out(obj) if self._rolls_out(request) else answer

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        answer = super().response_change(request, obj)
        return self._roll_out(obj) if self._rolls_out(request) else answer

    def _roll_out(self, row: Any) -> HttpResponse:
        return HttpResponseRedirect(self.url_of(self.rollout_page, row.pk))


def _deletion(changed: FileEffect | None, rows: int = 1) -> dict[str, object]:
    """For `deletion.html`."""
    return {"changed": changed, "more": changed.number - len(changed.examples) if changed else 0, "rows": rows}


def _tell_of_deleted(request: HttpRequest, changed: FileEffect | None) -> None:
    if changed and not changed.is_nothing:
        files = "The file of 1 phone changes" if changed.number == 1 else f"The files of {changed.number} phones change"
        more = f"; {changed.unseen} more phones were not looked at" if changed.unseen else ""
        tell(request, False, f"{files} with that{more}. The pages of their profiles roll them out.")


class _BackAgain:
    """A form that is shown once more as it was typed."""

    data: Any
    add_error: Any

    def clean(self) -> Any:
        given = super().clean()  # type: ignore[misc]
        self.add_error(None, NOTHING_SAVED)
        return given
