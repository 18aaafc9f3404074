"""A stock of numbers, some of which the hotel leases, with a PBX and an app that they are assigned to, and an order."""

from decimal import Decimal

from contacts_app.accounts.models import Account
from phones_app.demo.parts.base import ACTOR, DemoPart, Scene, ever_had
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.services import save_messaging_profile
from profiles_app.numbers.models import NumberOrder, StockNumber
from profiles_app.numbers.services import place_order, save_stock_number, take_number
from profiles_app.sip.models import SipConnection, SipControlApp
from profiles_app.sip.services import save_sip_record

PROFILE = "Guest messages"
# Kept free for fiction: 555-01xx, and 020 7946 0xxx in London.
STOCK = (
    *((12025550100 + number, "Washington", "1.00") for number in range(10, 20)),
    *((18005550100 + number, "Toll-free", "2.50") for number in range(10, 13)),
    *((442079460100 + number, "London", "1.50") for number in range(10, 16)),
)
# Number, what it is for, where its calls go, its site.
LEASED = (
    (12025550110, "Reception", "201", "Pier 4"),
    (12025550111, "Concierge", "203", "Pier 4"),
    (12025550112, "Restaurant", "205", "Boathouse"),
    (18005550110, "Reservations", "201", "Pier 4"),
)


def _was_made(account: Account) -> bool:
    return ever_had(NumberLease, account_id=account.pk)


def _make(scene: Scene) -> None:
    account = scene.account
    known = set(StockNumber.objects.values_list("tn", flat=True))
    for tn, region, price in STOCK:
        if tn not in known:
            save_stock_number(StockNumber(tn=tn, region=region, provider="Wholesale", monthly_price=Decimal(price)))
    profile = save_messaging_profile(
        MessagingProfile(
            account=account,
            name=PROFILE,
            callback_url=scene.receiver,
            number_pool_enable=True,
            long_code_weight=5,
            tollfree_weight=1,
            sticky_sender=True,
        ),
        actor=ACTOR,
    )
    pbx = save_sip_record(SipConnection(account=account, name="Hotel PBX", ip="192.0.2.10"), actor=ACTOR)
    app = save_sip_record(SipControlApp(account=account, name="Wake-up calls"), actor=ACTOR)
    for tn, description, destination, site in LEASED:
        take_number(
            account=account,
            tn=tn,
            actor=ACTOR,
            profile=profile,
            targets={"sip_connection": pbx, "sip_control_app": app if tn == LEASED[-1][0] else None},
            description=description,
            destination=destination,
            site=site,
        )
    note = "For the new wing, from May on"
    place_order(NumberOrder(account=account, quantity=2, prefix="4420", note=note), actor=ACTOR)


def follow(scene: Scene) -> None:
    """Have the webhook lead to the portal's present address, unless people have changed it."""
    for profile in MessagingProfile.objects.filter(account=scene.account, name=PROFILE):
        if scene.has_moved(profile.callback_url or ""):
            profile.callback_url = scene.receiver
            save_messaging_profile(profile, actor=ACTOR, changed={"callback_url"})


PART = DemoPart("numbers", _was_made, _make)
