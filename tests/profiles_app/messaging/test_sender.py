"""Messaging spec §4.3 and case 27: which number of a profile sends."""

from collections import Counter
from datetime import timedelta
from itertools import count as count_from

import pytest
from django.utils import timezone

from profiles_app.messaging.models import NumberLease, StickySender
from profiles_app.messaging.senders import next_kind
from profiles_app.messaging.services import forget_outcomes, kind_of
from tests.profiles_app.messaging.conftest import LONG_CODES, MESSAGING, TOLLFREE, UNKNOWN

pytestmark = pytest.mark.django_db

STRANGERS = count_from(33100000000)
TO = "+44 20 7946 0123"


@pytest.fixture
def pool(api, lease):
    """A profile whose pool is on, 5 to 1, with three long codes and a toll-free number."""
    weights = {"long_code_weight": 5, "tollfree_weight": 1}
    made = api.payload("POST", MESSAGING, {"name": "pool", "number_pool_enable": True, **weights})
    for tn in (*LONG_CODES, TOLLFREE):
        lease(tn, profile=made)
    return f"{MESSAGING}/{made['uuid']}"


def senders(api, pool, count, to=None):
    """The numbers that `count` messages are sent from, each to somebody new unless `to` says whom."""
    return [api.payload("POST", f"{pool}/sender", {"to": to or str(next(STRANGERS))})["tn"]["tn"] for _ in range(count)]


def test_case_27_kinds_of_numbers_send_by_their_weights(api, pool):
    counts = Counter(senders(api, pool, 60))
    assert counts[TOLLFREE] == 10
    assert sorted(counts[tn] for tn in LONG_CODES) == [16, 17, 17]


def test_case_27_weight_0_takes_a_kind_out_of_the_pool(api, pool):
    api.payload("PATCH", pool, {"toll_free_weight": 0})
    assert TOLLFREE not in senders(api, pool, 12)
    api.payload("PATCH", pool, {"long_code_weight": 0})
    api.refused(404, "POST", f"{pool}/sender", {"to": TO})


def test_case_27_a_sticky_recipient_keeps_one_sender(api, pool):
    api.payload("PATCH", pool, {"sticky_sender": True})
    (first,) = senders(api, pool, 1, TO)
    others = senders(api, pool, 5)
    assert set(senders(api, pool, 3, TO)) == {first}
    assert senders(api, pool, 1, "442079460123") == [first]
    assert first not in others[:2]
    assert StickySender.objects.count() == 6


def test_new_weights_hold_from_the_next_message_on(api, pool):
    senders(api, pool, 4)
    api.payload("PATCH", pool, {"long_code_weight": 1, "tollfree_weight": 1})
    assert Counter(tn == TOLLFREE for tn in senders(api, pool, 10)) == {True: 5, False: 5}


def test_an_unhealthy_number_is_left_out_and_its_recipients_move(api, pool):
    api.payload("PATCH", pool, {"sticky_sender": True, "long_code_weight": 9, "tollfree_weight": 0})
    (first,) = senders(api, pool, 1, TO)
    sick = NumberLease.objects.get(tn=first)
    outcome = f"/rest/lease/tn/{sick.uuid}/outcome"
    for delivered in (True, False, False, False):
        api.payload("POST", outcome, {"delivered": delivered})
    api.payload("PATCH", pool, {"skip_unhealthy_tns": True})
    assert senders(api, pool, 1, TO) == [first]  # a quarter is delivered
    api.payload("POST", outcome, {"delivered": False})
    (second,) = senders(api, pool, 1, TO)
    assert second != first
    assert first not in senders(api, pool, 6)
    forget_outcomes(sick)
    assert first in senders(api, pool, 3)
    assert senders(api, pool, 1, TO) == [second]  # what was remembered stays


def test_over_three_quarters_of_spam_is_unhealthy(api, pool):
    api.payload("PATCH", pool, {"skip_unhealthy_tns": True})
    spammer = NumberLease.objects.get(tn=TOLLFREE)
    spammer.sent_count, spammer.delivered_count, spammer.spam_count = 100, 100, 75
    spammer.save()
    assert TOLLFREE in senders(api, pool, 6)
    api.payload("POST", f"/rest/lease/tn/{spammer.uuid}/outcome", {"delivered": True, "spam": True})
    assert TOLLFREE not in senders(api, pool, 6)


def test_unhealthy_numbers_send_while_they_are_not_skipped(api, pool):
    NumberLease.objects.update(sent_count=10)
    assert set(senders(api, pool, 6)) == {*LONG_CODES, TOLLFREE}


def test_an_expired_lease_does_not_send_unless_it_is_renewed(api, pool):
    past = timezone.now() - timedelta(minutes=1)
    NumberLease.objects.filter(tn=TOLLFREE).update(expires_at=past, autorenew=True)
    assert TOLLFREE in senders(api, pool, 6)
    NumberLease.objects.filter(tn=TOLLFREE).update(autorenew=False)
    assert TOLLFREE not in senders(api, pool, 6)


def test_without_a_pool_or_a_number_nothing_is_chosen(api, pool, profile):
    api.payload("PATCH", pool, {"number_pool_enable": False})
    api.refused(409, "POST", f"{pool}/sender", {"to": TO})
    empty = f"{MESSAGING}/{profile['uuid']}"
    api.payload("PATCH", empty, {"number_pool_enable": True})
    api.refused(404, "POST", f"{empty}/sender", {"to": TO})
    for bad in ({}, {"to": "12"}, {"to": 442079460123}, {"to": "1" * 65}, [], None):
        api.refused(400, "POST", f"{pool}/sender", bad)


def test_choosing_is_no_change_of_profile_or_number(api, pool):
    before = api.payload("GET", pool), api.payload("GET", f"{pool}/tnleases")
    senders(api, pool, 3)
    assert (api.payload("GET", pool), api.payload("GET", f"{pool}/tnleases")) == before


def test_rounds_are_smooth_and_exact():
    credits, chosen = {}, []
    for _ in range(14):
        kind, credits = next_kind({"a": 5, "b": 1, "c": 1}, credits)
        chosen.append(kind)
    assert "".join(chosen) == "aabacaa" * 2


@pytest.mark.parametrize(
    ("tn", "kind"),
    [
        (18005550100, "tollfree"),
        (8885550100, "tollfree"),
        (12025550101, "long_code"),
        (18225550100, "long_code"),
        (448005550100, "long_code"),
        (1800555, "long_code"),
    ],
)
def test_the_kind_follows_from_the_number(tn, kind):
    assert kind_of(tn) == kind


def test_leases_are_shown_as_the_document_shows_them(api, pool):
    profile = api.payload("GET", pool)
    leases = api.payload("GET", f"{pool}/tnleases")
    assert [one["tn"]["tn"] for one in leases] == [*LONG_CODES, TOLLFREE]
    one = leases[0]
    assert one["tn"] == {"tn": LONG_CODES[0], "class4_did_id": None, "registered": True, "deleted_on": None}
    assert one["messaging_profile"]["uuid"] == profile["uuid"]
    assert (one["autorenew"], one["expired_on"], one["sip_connection"]) == (True, None, None)
    assert api.payload("GET", "/rest/lease/tn") == leases
    assert api.payload("GET", f"/rest/lease/tn/{one['uuid']}") == one
    api.refused(404, "GET", f"{MESSAGING}/{UNKNOWN}/tnleases")


@pytest.mark.parametrize("spelling", ["messaging_profile", "messaging_profile_uuid"])
def test_a_number_gets_another_profile_of_its_account(api, stranger, pool, profile, spelling):
    number = NumberLease.objects.get(tn=TOLLFREE)
    api.payload("PATCH", pool, {"sticky_sender": True})
    senders(api, pool, 6)
    url = f"/rest/lease/tn/{number.uuid}"
    moved = api.payload("PATCH", url, {spelling: profile["uuid"]})
    assert moved["messaging_profile"]["uuid"] == profile["uuid"]
    assert not StickySender.objects.filter(lease=number).exists()
    assert api.payload("PATCH", url, moved) == {**moved, "modified_on": api.payload("GET", url)["modified_on"]}
    theirs = stranger.payload("POST", MESSAGING, {"name": "theirs"})
    api.refused(404, "PATCH", url, {spelling: theirs["uuid"]})
    api.refused(400, "PATCH", url, {spelling: "nonsense"})
    api.refused(400, "PATCH", url, {spelling: None})
    stranger.refused(404, "PATCH", url, {spelling: theirs["uuid"]})
    stranger.refused(404, "POST", f"{url}/outcome", {"delivered": False})
    assert stranger.payload("GET", "/rest/lease/tn") == []
