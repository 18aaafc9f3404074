"""The first steps of a new portal, on the first page of its staff: what is done, as the database shows it, and where
the next one is done.

Apps register theirs. The card goes when all are done, or when a person hides it, which is theirs to take back.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from contacts_app.core.admin.frame import actor_of


@dataclass(frozen=True)
class FirstStep:
    """`values` are what to enter elsewhere, each with the name of its box there. Without `permission` it is a step of
    superusers, who run the machine.
    """

    title: str
    is_done: bool
    help: str
    url: str
    link: str
    permission: str = ""
    values: tuple[tuple[str, str], ...] = ()


_sources: list[Callable[[], list[FirstStep]]] = []


def register(steps: Callable[[], list[FirstStep]]) -> None:
    """Add the steps of an app. Called from its `admin`."""
    _sources.append(steps)


def first_steps(request: HttpRequest) -> dict[str, object]:
    """What the first page shows of them; nothing to people of an account, for whom staff set the portal up."""
    user: Any = request.user
    if not actor_of(request).is_staff:
        return {}
    if user.hides_first_steps:
        return {"first_steps_hidden": True}
    steps = [step for source in _sources for step in source() if _may_do(user, step)]
    done = sum(step.is_done for step in steps)
    return {"first_steps": steps, "first_steps_done": done} if done < len(steps) else {}


def _may_do(user: Any, step: FirstStep) -> bool:
    return bool(user.has_perm(step.permission) if step.permission else user.is_superuser)
