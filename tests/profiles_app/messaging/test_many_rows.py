"""What holds for many rows and with several workers at a time; only PostgreSQL can tell."""

import threading
from collections import Counter

import pytest
from django.db import connection, connections
from django.utils import timezone

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor, system
from profiles_app.messaging.api.messaging_profile import MessagingProfiles
from profiles_app.messaging.api.number_lease import LEASES
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.senders import _pool, choose_sender
from profiles_app.messaging.services import save_number_lease
from profiles_app.voice.api.profile import OutboundVoiceProfiles
from profiles_app.voice.models.profile import OutboundVoiceProfile
from tests.many_rows import multiply, without_foreign_keys
from tests.profiles_app.messaging.conftest import LONG_CODES, TOLLFREE

pytestmark = pytest.mark.django_db
# A row of everything for each account, and so many copies of each.
ACCOUNTS, COPIES = 1000, 19


@pytest.fixture
def crowd(acme):
    if connection.vendor != "postgresql":
        pytest.skip("the database of this run is not PostgreSQL")
    accounts = Account.objects.bulk_create(
        Account(voip_id=number, name=f"A{number}", email="a@example.org") for number in range(1, ACCOUNTS)
    )
    accounts.append(acme)
    profiles = MessagingProfile.objects.bulk_create(MessagingProfile(account=owner, name="m") for owner in accounts)
    NumberLease.objects.bulk_create(
        NumberLease(account=profile.account, tn=12000000000 + number, kind="long_code", messaging_profile=profile)
        for number, profile in enumerate(profiles)
    )
    OutboundVoiceProfile.objects.bulk_create(
        OutboundVoiceProfile(account=owner, name="v", tech_prefix=300_000 + number)
        for number, owner in enumerate(accounts)
    )
    without_foreign_keys()
    for model in (MessagingProfile, NumberLease, OutboundVoiceProfile):
        multiply(model, COPIES)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return profiles


def test_lists_and_the_pool_answer_from_an_index(crowd, acme):
    tenant = Actor("alice", "test", account=acme)
    used = crowd[-1]
    plans = {
        "messaging profiles": tenant.sees(MessagingProfiles.queryset).explain(),
        "outbound voice profiles": tenant.sees(OutboundVoiceProfiles.queryset).explain(),
        "leases": tenant.sees(LEASES).explain(),
        "leases of a profile": LEASES.filter(messaging_profile=used).explain(),
        "by uuid": tenant.sees(MessagingProfiles.queryset).filter(uuid=used.uuid).explain(),
        "next in the pool": _pool(used, timezone.now()).filter(kind="long_code").order_by("turn", "pk")[:1].explain(),
    }
    big = ("messagingprofile", "outboundvoiceprofile", "numberlease")
    for name, plan in plans.items():
        scans = [line for line in plan.splitlines() if "Seq Scan" in line and any(table in line for table in big)]
        assert scans == [], f"{name}:\n{plan}"


@pytest.mark.django_db(transaction=True)
def test_workers_that_choose_at_a_time_keep_the_shares(acme):
    if connection.vendor != "postgresql":
        pytest.skip("the database of this run is not PostgreSQL")
    profile = MessagingProfile.objects.create(account=acme, name="m", number_pool_enable=True, long_code_weight=5)
    for tn in (*LONG_CODES, TOLLFREE):
        save_number_lease(NumberLease(account=acme, tn=tn, messaging_profile=profile), actor=system("test"))
    chosen = []

    def work():
        for _ in range(15):
            chosen.append(choose_sender(profile=profile, to="33100000000").tn)
        connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counts = Counter(chosen)
    assert counts[TOLLFREE] == 10
    assert sorted(counts[tn] for tn in LONG_CODES) == [16, 17, 17]
