"""Names and numbers for the directories on a phone's screen: extensions, and people with a phone."""

from dataclasses import dataclass

from contacts_app.models import Account, Extension, User


@dataclass(frozen=True, order=True)
class Entry:
    name: str
    number: str


def company_directory(account: Account) -> list[Entry]:
    """The account's extensions, for everybody at one of its phones."""
    rows = Extension.objects.filter(account=account).values_list("name", "number")
    return sorted(Entry(name or str(number), str(number)) for name, number in rows)


def personal_directory(user: User) -> list[Entry]:
    """For a person who is logged in on a phone also the people of the account who have a phone number."""
    if user.account is None:
        return []
    people = User.objects.filter(account=user.account, is_active=True).exclude(phone=None).exclude(phone="")
    entries = [Entry(person.get_full_name(), str(person.phone)) for person in people]
    return sorted(entries + company_directory(user.account))
