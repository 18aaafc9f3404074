"""Messages of the hotel to its guests, sent through a gateway that is simulated, and answers, one of which opts out."""

from contacts_app.accounts.models import Account
from phones_app.demo.parts.base import ACTOR, DemoPart, Scene
from phones_app.demo.parts.numbers import PROFILE
from profiles_app.messaging.inbound import receive_message
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.sending.models import Message, MessageGateway
from profiles_app.messaging.sending.outbox import Draft, submit

# Numbers kept free for fiction; the gateway leaves those that end in 99 undelivered, and refuses those in 97.
GUESTS = (*(f"+4420794602{number:02d}" for number in range(10, 22)), "+442079460299", "+442079460297")
TEXT = "Harbour Hotel: your room is ready. Reply STOP to get no more messages."


def _was_made(account: Account) -> bool:
    return Message.objects.filter(account=account).exists()


def _make(scene: Scene) -> None:
    MessageGateway.objects.get_or_create(name="Simulated gateway", kind=MessageGateway.Kind.SIMULATED, account=None)
    profile = MessagingProfile.objects.filter(account=scene.account, name=PROFILE).first()
    lease = NumberLease.objects.filter(messaging_profile=profile).order_by("tn").first() if profile else None
    if profile is None or lease is None:
        return
    submit(scene.account, [Draft(to=to, text=TEXT) for to in GUESTS], profile=profile, actor=ACTOR)
    receive_message(lease=lease, sender=GUESTS[0], text="Thank you! Is breakfast at eight?")
    receive_message(lease=lease, sender=GUESTS[1], text="STOP")


PART = DemoPart("messages", _was_made, _make)
