"""What operator commands have in common that are about a person, named by the e-mail address."""

from django.core.management.base import CommandError

from contacts_app.people.models import User


def person_with_email(email: str) -> User:
    """The person, with the account. Raises CommandError when there is none."""
    person = User.objects.select_related("account").filter(email__iexact=email).first()
    if person is None:
        raise CommandError(f"There is no user with the email {email}.")
    return person
