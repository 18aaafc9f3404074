"""Of what thousands of phones ask for only what is evidence is written at once, and that is all of it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from phones_app.boot.fetches import Fetch, fetches_of, message_of
from phones_app.boot.models import FileFetch
from phones_app.boot.recording import record_fetches
from phones_app.boot.sequels import MOST_ADDRESSES, Evidence

MAC, OTHER = "0200000000A1", "0200000000A2"
HERE, THERE = "192.0.2.1", "192.0.2.2"
BOOT = (f"CTLSEP{MAC}.tlv", "ITLFile.tlv", f"SEP{MAC}.cnf.xml", "SIP45.loads", "dialplan.xml", "Ringlist.xml")


def asked(name: str, began: float, address: str = HERE) -> Fetch:
    own = name.startswith("SEP")
    return Fetch(name, address, "http", began=began, size=9 if own else 0, complete=own, missing=not own)


def taken(*fetches: Fetch, since: float = -1000.0) -> list[str]:
    evidence = Evidence(since)
    return [fetch.file_name for fetch in fetches if evidence.takes(fetch)]


def test_of_a_boot_the_own_file_and_what_comes_next_are_evidence_each_time():
    boots = [asked(name, began=float(place)) for place, name in enumerate(BOOT * 2)]
    assert taken(*boots) == [BOOT[2], BOOT[3]] * 2


def test_what_comes_two_minutes_later_or_from_elsewhere_follows_nothing():
    own = asked(BOOT[2], 0.0)
    assert taken(own, asked("dialplan.xml", 121.0)) == [BOOT[2]]
    assert taken(own, asked("dialplan.xml", 1.0, THERE)) == [BOOT[2]]


def test_what_may_follow_a_fetch_from_before_the_start_is_taken():
    later = [asked("dialplan.xml", began) for began in (1.0, 2.0, 130.0)]
    assert taken(*later, since=0.0) == ["dialplan.xml"] * 2


def test_a_request_that_began_before_the_own_file_does_not_stand_for_the_next():
    assert taken(asked(BOOT[2], 5.0), asked("a.xml", 4.0), asked("b.xml", 6.0), asked("c.xml", 7.0)) == [
        *(BOOT[2], "a.xml", "b.xml")
    ]


def test_what_is_remembered_is_bounded():
    evidence = Evidence(-1000.0)
    for number in range(MOST_ADDRESSES + 1):
        evidence.takes(asked(BOOT[2], 0.0, f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"))
    assert not evidence.takes(asked("dialplan.xml", 1.0, "10.0.0.0"))
    assert evidence.takes(asked("dialplan.xml", 1.0, "10.0.0.1"))


@pytest.mark.parametrize("name", [BOOT[2], "dialplan.xml", "na\udc80me"])
def test_a_fetch_is_the_same_in_the_other_process(name):
    fetch = Fetch(name, HERE, "tftp", mac=MAC, shared_file=3, refused="why", missing=True)
    fetch.sent(b"12345")
    [other] = fetches_of(message_of([fetch]))
    assert (other, other.began, other.sha256) == (fetch, fetch.began, fetch.sha256)


REQUESTS = st.lists(
    st.tuples(
        st.sampled_from([0.5, 1.0, 70.3]),
        st.sampled_from([HERE, HERE, THERE]),
        st.sampled_from([BOOT[2], f"SEP{OTHER}.cnf.xml", "CTLFile.tlv", "a.xml", "b.xml", "c.xml"]),
        st.booleans(),
    ),
    max_size=25,
)


class Written(TestCase):
    @given(REQUESTS)
    @settings(max_examples=60, deadline=None)
    def test_the_same_is_written_as_of_all_requests(self, requests):
        evidence, batches, began = Evidence(-1e9), [[]], time.monotonic() - 5000
        for gap, address, name, starts_batch in requests:
            began += gap
            if starts_batch:
                batches.append([])
            batches[-1].append(asked(name, began, address))
        written = []
        for takes in (lambda _: True, evidence.takes):
            FileFetch.objects.all().delete()
            for batch in batches:
                record_fetches([fetch for fetch in batch if takes(fetch)])
            written.append(list(FileFetch.objects.order_by("fetched_at").values_list("mac", "address", "followed_by")))
        assert written[0] == written[1]
