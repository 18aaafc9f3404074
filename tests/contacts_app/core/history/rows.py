"""Extensions whose changes the change log and its list over REST are asked for."""

from contacts_app.accounts.models import Account, Extension
from contacts_app.core.history.records import create_recorded


def rename(row: Extension, name: str) -> None:
    row.name = name
    row.save()


def make_extensions(account: Account, first: int, count: int, name: str = "Row") -> None:
    create_recorded(
        [Extension(account=account, number=number, name=f"{name} {number}") for number in range(first, first + count)]
    )
