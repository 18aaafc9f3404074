from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from unfold.enums import ActionVariant

F = TypeVar("F", bound=Callable[..., Any])

def action(
    *,
    description: str,
    permissions: Sequence[str] = ...,
    icon: str = ...,
    variant: ActionVariant = ...,
    url_path: str = ...,
) -> Callable[[F], F]: ...
def display(
    *, description: str, ordering: str = ..., boolean: bool = ..., header: bool = ..., label: Mapping[str, str] = ...
) -> Callable[[F], F]: ...
