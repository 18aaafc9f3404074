"""Rates and an outbound voice profile, with calls that were admitted and calls that were refused."""

from datetime import timedelta
from decimal import Decimal

from contacts_app.accounts.models import Account
from contacts_app.core.history.records import create_recorded
from contacts_app.core.work import clock
from phones_app.demo.parts.base import ACTOR, DemoPart, Scene, ever_had
from profiles_app.voice.admission import CallRequest, admit, close, renew
from profiles_app.voice.models.admission import Admission
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.models.rates import Rate, RateTable
from profiles_app.voice.services import save_outbound_voice_profile

CALLER = "+12025550110"
# Prefix, destination, US dollars a minute, whether calls may go there.
RATES = (
    ("1", "North America", "0.0100", True),
    ("44", "United Kingdom", "0.0200", True),
    ("447", "United Kingdom, mobile", "0.0900", True),
    ("882", "International networks", "4.5000", True),
    ("1900", "Premium rate", "1.0000", False),
)
RINGING = timedelta(seconds=8)
# Seconds of calls that have ended.
ENDED = (35, 90, 310)


def _was_made(account: Account) -> bool:
    return ever_had(OutboundVoiceProfile, account_id=account.pk, name="Office calls")


def _make(scene: Scene) -> None:
    table = RateTable.objects.filter(is_default=True).first()
    if table is None:
        table = RateTable.objects.create(name="Standard", is_default=True)
        create_recorded(
            Rate(table=table, prefix=prefix, destination=name, price=Decimal(price), interval=60, is_allowed=allowed)
            for prefix, name, price, allowed in RATES
        )
    profile = save_outbound_voice_profile(
        OutboundVoiceProfile(
            account=scene.account,
            name="Office calls",
            channel_limit=2,
            max_rate=0.5,
            daily_spend_limit=5.0,
            record_calls=OutboundVoiceProfile.Recording.ALL,
        ),
        actor=ACTOR,
    )
    now = clock.now()
    asks = iter(range(100))

    def ask(destination: str) -> CallRequest:
        return CallRequest(destination=destination, caller=CALLER, call_id=f"demo-admission-{next(asks)}", rate=None)

    for seconds in ENDED:
        made = admit(profile, ask("+442079460110"))
        # No call is answered before it is admitted: it has been, a while ago.
        made.created_at = now - RINGING - timedelta(seconds=seconds)
        Admission.objects.filter(pk=made.pk).update(created_at=made.created_at)
        renew(made, answered_at=made.created_at + RINGING)
        close(made, ended_at=now)
    for destination in ("+19005550100", "+88212345678", "+12025550120", "+12025550121", "+12025550122"):
        # Blocked, too dear, two that run, and one channel too many.
        admit(profile, ask(destination))


PART = DemoPart("voice", _was_made, _make)
