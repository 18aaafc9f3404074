"""Who may use a route (phone profiles spec §6); whose rows they see is `Actor.sees`."""

from typing import Any, cast

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from contacts_app.services.actor import Actor


class LoggedIn(BasePermission):
    """Any credential."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return bool(request.user)


class Manages(LoggedIn):
    """Level 0: everything in its scope. A token of one extension has no part in phones and profiles."""

    message = "This needs permission level 0"

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and cast(Actor, request.user).manages


class OwnsOrManages(LoggedIn):
    """People of any level; the view narrows what they get to their own."""

    message = "This token has no phone profiles"

    def has_permission(self, request: Request, view: Any) -> bool:
        actor = cast(Actor, request.user)
        return super().has_permission(request, view) and (actor.manages or actor.user is not None)
