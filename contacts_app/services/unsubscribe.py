"""The link in every mail to a contact that ends mails of its kind: good without a login, for ever, for that alone."""

from typing import NamedTuple
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.urls import reverse

from contacts_app.models import NotificationContact, NotificationPreference
from contacts_app.services.notification_preference import set_preferences


class Subscription(NamedTuple):
    """What a link is about."""

    contact: NotificationContact
    about: str

    @property
    def label(self) -> str:
        return str(NotificationPreference(type=self.about).get_type_display())

    @property
    def address(self) -> str:
        """Enough for its owner to know it, and too little for whoever a mail was forwarded to."""
        name, _, domain = self.contact.email.partition("@")
        return f"{name[:1]}…@{domain}"


def unsubscribe_url(contact: NotificationContact, about: str) -> str:
    # In the query, because that is cut from logs.
    token = _signer(contact).sign(f"{contact.uuid.hex}:{about}")
    return f"{settings.PUBLIC_URL}{reverse('unsubscribe')}?{urlencode({'token': token})}"


def read_token(token: str) -> Subscription | None:
    """What the token of a link is about; None for anything that we have not signed."""
    try:
        contact = NotificationContact.objects.get(uuid=UUID(hex=token.partition(":")[0]))
        return Subscription(contact, _signer(contact).unsign(token).rpartition(":")[2])
    except (ValueError, NotificationContact.DoesNotExist, BadSignature):
        return None


def set_subscribed(subscription: Subscription, *, told: bool) -> None:
    contact, about = subscription
    set_preferences([NotificationPreference(contact=contact, type=about, value=told)])


def _signer(contact: NotificationContact) -> Signer:
    # The address is part of the salt: who had the contact's mailbox earlier has no say about the present one.
    return Signer(salt=f"contacts_app.unsubscribe:{contact.email}")
