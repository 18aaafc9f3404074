"""Mails with a link to choose a password: after it was forgotten, and for who is invited to the portal (portal spec §1).

The link is made when the mail is sent. It is good for an hour and once: choosing a password, or a log-in, ends it.
"""

from datetime import timedelta

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.urls import reverse
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from contacts_app.contacts.mail import queue_mail
from contacts_app.contacts.models.mail import Mail
from contacts_app.people.models import User

# The name can never be anybody's (RFC 6761).
PASSWORD_MARK = "https://password.invalid/"  # noqa: S105 -- the place of a link
FORGOTTEN, INVITED = "forgotten", "invited"
# So often, in seconds, a person gets such a mail, however often it is asked for.
PAUSE = 300


def may_visit(user: object) -> bool:
    """Whether it is somebody of the portal: people of an active account. Those who may use the admin log in there:
    neither log-in stands for the other.
    """
    return (
        isinstance(user, User)
        and user.is_active
        and not (user.is_staff or user.is_superuser)
        and user.account is not None
        and user.account.is_active
    )


def mail_password_link(person: User, why: str) -> None:
    """Write the mail, in the language of the moment, unless the person had one within the last minutes."""
    if not may_visit(person) or person.single_sign_on_id:
        return
    group, now = f"password:{person.pk}:", timezone.now()
    lately = Mail.objects.filter(
        to=person.email, group__startswith=group, created_at__gt=now - timedelta(seconds=PAUSE)
    )
    if lately.exists():
        return
    queue_mail(
        to=[person.email],
        template=f"profiles_app/myaccount/portal/mail/{why}",
        context={
            "name": person.get_short_name(),
            "account_name": person.account.name if person.account else "",
            "operator": settings.PORTAL_NAME,
            "link": PASSWORD_MARK,
            "again": settings.PUBLIC_URL + reverse("portal:forgotten"),
        },
        account=person.account,
        # Of two writers at the same time one writes.
        group=f"{group}{int(now.timestamp()) // PAUSE}",
    )


def person_of(address: str) -> User | None:
    """The person who is written to at this address, if the portal is for them."""
    person = User.objects.select_related("account").filter(email__iexact=address.strip()).first()
    return person if may_visit(person) else None


def password_link(mail: Mail) -> str | None:
    person = person_of(mail.to)
    if person is None:
        return None
    key = urlsafe_base64_encode(force_bytes(person.pk))
    token = default_token_generator.make_token(person)
    path = reverse("portal:new-password", kwargs={"uidb64": key, "token": token})
    return f"{settings.PUBLIC_URL}{path}"
