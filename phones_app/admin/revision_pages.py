"""Revisions on a profile's page: any two side by side with their passwords masked, and the way back to one."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import path, reverse

from contacts_app.admin.base import PortalAdmin, actor_of
from contacts_app.services.errors import Refusal
from phones_app import sep
from phones_app.models import ProfileRevision
from phones_app.services.phone_profile import restore_revision


class RevisionPages(PortalAdmin):
    def get_urls(self) -> list[Any]:
        pages = (
            ("<path:object_id>/compare/", self.compare),
            ("<path:object_id>/restore/<str:number>/", self.restore),
        )
        named = [
            path(route, self.admin_site.admin_view(view), name=f"phones_app_phoneprofile_{view.__name__}")
            for route, view in pages
        ]
        return [*named, *super().get_urls()]

    def compare(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Without being told which two: the present one beside the one before."""
        profile = self.row_or_404(request, object_id)
        self.require(request, "phones_app.view_phoneprofile")
        revisions = list(profile.revisions.defer("content"))
        newest = revisions[0].number if revisions else 0
        old = _revision(profile, request.GET.get("old", str(max(newest - 1, 1))))
        new = _revision(profile, request.GET.get("new", str(newest)))
        before, after = bytes(old.content), bytes(new.content)
        pairs = sep.side_by_side(before, after)
        whole = "whole" in request.GET or not any(pair.differs for pair in pairs)
        return self.page(
            request,
            "admin/phones_app/phoneprofile/compare.html",
            f"{profile}: {old} beside {new}",
            profile=profile,
            revisions=revisions,
            old=old,
            new=new,
            rows=[(pair, 0) for pair in pairs] if whole else sep.folded(pairs),
            whole=whole,
            same=before == after,
            only_secrets=before != after and not any(pair.differs for pair in pairs),
            may_restore=self.has_change_permission(request, profile),
        )

    def restore(self, request: HttpRequest, object_id: str, number: str) -> HttpResponse:
        profile = self.row_or_404(request, object_id)
        if not self.has_change_permission(request, profile):
            self.require(request, "phones_app.change_phoneprofile")
            raise Http404
        revision = _revision(profile, number)
        back = reverse("admin:phones_app_phoneprofile_change", args=[profile.pk])
        question = (
            f"Restore {revision} of {profile}? Its file becomes the profile's present one, as a new revision. "
            "No phone is told until the profile is deployed."
        )
        if asked := self.confirmed(request, question=question, button="Restore", back=back):
            return asked
        try:
            restored = restore_revision(
                revision, actor=actor_of(request), reason=request.POST.get("_reason", "")
            )
        except Refusal as refusal:
            messages.error(request, refusal.message)
        else:
            self.log_change(request, restored, f"Restored {revision}.")
            messages.success(
                request, f"{restored} says what {revision} said; this is {restored.revision} now."
            )
        return HttpResponseRedirect(back)


def _revision(profile: Any, number: str) -> ProfileRevision:
    # What is longer is no number that a column holds.
    known = number.isascii() and number.isdigit() and len(number) < 10
    revision: ProfileRevision | None = profile.revisions.filter(number=int(number)).first() if known else None
    if revision is None:
        raise Http404(f"There is no revision {number}.")
    return revision
