"""Many at once: one person at a phone, one phone for a person, and no two that wait for each other in a circle."""

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connections

from contacts_app.core.errors import Refusal
from phones_app.mobility.login import log_in
from phones_app.mobility.logout import log_out, log_out_all, session_on
from phones_app.mobility.models import PRESENT, MobilitySession, Why
from tests.phones_app.site import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)


def test_people_and_phones_at_the_same_moment(mobile, people, device):
    for name in people:
        device(name)
    phones = [mobile() for _ in range(3)]

    def act(number: int) -> None:
        chance = random.Random(number)
        phone, person = chance.choice(phones), chance.choice(list(people.values()))
        try:
            if number % 8 == 5:
                log_out_all(person, why=Why.STAFF, actor=ACTOR)
            elif number % 8 == 6 and (session := session_on(phone)):
                log_out(session, why=Why.STAFF, actor=ACTOR)
            else:
                log_in(phone, person, actor=ACTOR)
        except Refusal:
            pass
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(act, range(24)))
    present = list(MobilitySession.objects.filter(state__in=PRESENT).values_list("phone", "user"))
    assert len({phone for phone, _ in present}) == len(present), "one person at a phone"
    assert len({user for _, user in present}) == len(present), "one phone for a person, as the policy has it"
    for session in MobilitySession.objects.exclude(state__in=PRESENT):
        assert session.logout, "somebody brings every phone back"
