"""Whose work it is what a request changes, told to history while the request lasts."""

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest, HttpResponse

from contacts_app.core.actor import Actor
from contacts_app.core.history.authorship import Author, authored, one_line
from contacts_app.people.models import User

# Forms of the admin have a field for the reason, clients of the APIs a header.
REASON_FIELD = "_reason"
REASON_HEADER = "HTTP_X_CHANGE_REASON"


def know_authors(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    def middleware(request: HttpRequest) -> HttpResponse:
        with authored(partial(author_of, request)):
            return get_response(request)

    return middleware


def author_of(request: HttpRequest) -> Author:
    """Who that is stands in `request.user`: the admin's login puts a user there, that of the APIs an actor."""
    in_admin = request.resolver_match is not None and request.resolver_match.namespace == "admin"
    user = getattr(request, "user", None)
    actor = user if isinstance(user, Actor) else None
    if isinstance(user, User):
        actor = user.as_actor("admin" if in_admin else "rest")
    reason = request.META.get(REASON_HEADER, "").encode("latin-1", "replace").decode("utf-8", "replace")
    if in_admin and request.method == "POST":
        reason = request.POST.get(REASON_FIELD, "")
    return (actor or Actor("not logged in", "admin" if in_admin else "rest")).as_author(
        request_id=request.META.get("HTTP_X_REQUEST_ID", ""), reason=one_line(reason)
    )
