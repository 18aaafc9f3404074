"""What the parts of the demo have in common."""

from collections.abc import Callable
from dataclasses import dataclass, field

from django.db.models import Model

from contacts_app.accounts.models import Account
from contacts_app.core.actor import system
from contacts_app.core.history.models import tracked_models
from phones_app.demo.receiver import PATH

ACTOR = system("demo")


@dataclass
class Scene:
    """Whose demo it is and where the portal is; `said` is printed once, when the demo is made."""

    account: Account
    url: str
    said: list[str] = field(default_factory=list)

    @property
    def receiver(self) -> str:
        return f"{self.url.rstrip('/')}/{PATH}"

    def has_moved(self, url: str) -> bool:
        """Whether that is the receiver's address from before the portal got another one."""
        return url.endswith(f"/{PATH}") and url != self.receiver


@dataclass(frozen=True)
class DemoPart:
    """`was_made`: whether the account has ever had it; what people deleted is not made again."""

    name: str
    was_made: Callable[[Account], bool]
    make: Callable[[Scene], None]


def ever_had(model: type[Model], **row: object) -> bool:
    """Whether there is or was such a row, as history tells."""
    return bool(tracked_models[model].rows_of_model().filter(**row).exists())
