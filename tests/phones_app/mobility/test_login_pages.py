"""People log in on a phone's screen, over HTTP as phones speak (mobility spec §5.2, §7, cases 1 to 4 and 6)."""

import base64
import threading
import time
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher

from contacts_app.people.models import User
from phones_app.inventory.models import Phone
from phones_app.mobility import authentication
from phones_app.mobility.models import MobilityPolicy, MobilitySession, PersonMobility, PinFailures, SessionState
from phones_app.mobility.models import SecondPhone as Second
from phones_app.mobility.tickets import Purpose, person_of
from profiles_app.events.models.outbox import Event
from profiles_app.phone.services import create_profile
from tests.phones_app.mobility.conftest import PIN
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)


def session_of(phone: Phone) -> MobilitySession:
    return MobilitySession.objects.filter(phone=phone).first()


def stands(phone: Phone, *states: SessionState):
    return lambda: session_of(phone).state in states


@pytest.mark.parametrize(("model", "method"), [("8845", "post"), ("7962", "get")])
def test_log_in_with_a_pin_and_out_again(site, mobile, people, device, screen, work, model, method):
    phone, profile = mobile(model=model), device("Bob")
    with site.alive(phone) as fleet:
        form = screen("em", phone)
        assert form.tag == "CiscoIPPhoneInput"
        assert form.all("InputItem/InputFlags") == ["A", "NP"]
        sent = {"user": "BOB@acme.example", "pin": PIN}
        shown = screen(form.url, method=method, **sent)
        assert shown.words == "Logging in as Bob Baker. The phone restarts."
        assert shown.refresh.startswith("3; url=http://testserver/cisco/services/em/status?")
        assert site.file_of(phone) == mobile.base.content, "nothing happens before the phone has its answer"
        work(stands(phone, SessionState.LOGGED_IN))
        assert site.file_of(phone) == profile.content
        assert fleet.wait_until(lambda: fleet[phone.mac].line_users == ("7301",))
        menu = screen("em", phone).items
        own = ["Log out Bob Baker", "Status", "Extend time", "Log in as somebody else", "Change PIN", "Directories"]
        assert list(menu) == own
        assert screen("em/status", phone).words.startswith("Bob Baker is logged in since ")
        assert screen("pdir", phone, page="0").tag == "CiscoIPPhoneDirectory", "no other log-in opens it"
        shown = screen(menu["Log out Bob Baker"])
        assert shown.words == "Logging out Bob Baker. The phone restarts."
        work(stands(phone, SessionState.LOGGED_OUT))
        assert site.file_of(phone) == mobile.base.content
        assert fleet.wait_until(lambda: fleet[phone.mac].line_users == ("1000",))
    assert session_of(phone).why == "person"
    assert screen("em/status", phone).words == "No one is logged in on this phone."


@pytest.fixture
def desk(mobile, people, device):
    """A phone that takes part, which no agent answers for, and Bob's profile."""
    device("Bob")
    return mobile()


class SlowHasher(PBKDF2PasswordHasher):
    """Slow enough that nothing else counts, as the one of real installations."""

    iterations = 200_000


def test_no_failure_tells_why(desk, people, alice, screen, settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.SlowHasher"]
    for person in people.values():
        person.set_pin(PIN)
        person.save()
    PersonMobility.objects.create(user=alice, is_allowed=False)
    tried = {
        "wrong PIN": ("bob@acme.example", "0001"),
        "wrong user": ("nobody", PIN),
        "not allowed": ("alice@acme.example", PIN),
        "unknown phone": ("bob@acme.example", PIN),
    }
    unknown = Phone(mac="0200000000FF")
    screen("em/login", unknown, user="nobody", pin=PIN)  # what is compiled once is not measured
    answers, times = {}, []

    def tries(why: str, user: str, pin: str) -> None:
        """The shortest of some times counts: what else the machine does makes the processor slower now and then."""
        took = []
        for _ in range(3):
            began = time.thread_time()
            answers[why] = screen("em/login", unknown if why == "unknown phone" else desk, user=user, pin=pin)
            took.append(time.thread_time() - began)
        times.append(min(took))

    for why, (user, pin) in tried.items():
        tries(why, user, pin)
    PinFailures.objects.filter(user__email="bob@acme.example").update(count=5)
    tries("locked", "bob@acme.example", PIN)
    bodies = {shown.body.replace(b"0200000000FF", desk.mac.encode()) for shown in answers.values()}
    assert len(bodies) == 1
    assert answers["locked"].words == "Login failed (201)"
    # The time that the processor worked for each; nothing waits.
    assert max(times) < 1.5 * min(times)
    assert not MobilitySession.objects.exists()


def test_too_many_at_once_are_answered_at_once(desk, people, screen, monkeypatch):
    monkeypatch.setattr(authentication, "_checks", threading.BoundedSemaphore(1))
    with authentication._one_of_few():
        for name in ("bob@acme.example", "nobody"):
            shown = screen("em/login", desk, user=name, pin=PIN)
            assert shown.words == "Login failed (26): Many people are logging in. Please try again in a moment."
        assert screen("pdir", desk, user=name, pin=PIN).words.startswith("Many people are logging in.")
    assert not PinFailures.objects.exists(), "nothing was tried"
    assert screen("em/login", desk, user="bob@acme.example", pin=PIN).words.startswith("Logging in as Bob Baker")


def test_a_lock_is_an_event_once(desk, people, screen):
    for attempt in range(8):
        screen("em/login", desk, user="bob@acme.example", pin=f"{attempt:04d}")
    [event] = [event for event in Event.objects.all() if "em-locked" in event.tags]
    assert event.data["person"] == "Bob Baker"
    assert event.data["failures"] == 5
    assert "0004" not in str(event.data)


def test_by_the_number_on_the_card(desk, people, bob, screen):
    User.objects.filter(pk=bob.pk).update(phone="+49 201 7301", phone_digits="492017301")
    form = screen("em", desk, loginType="DN")
    assert form.all("InputItem/InputFlags") == ["T", "NP"]
    assert "loginType=DN" in form.url
    shown = screen(form.url, userid="0049 201 7301", seq=PIN)
    assert shown.words.startswith("Logging in as Bob Baker")


def test_several_profiles_are_a_choice_that_carries_no_pin(desk, people, bob, alice, screen, monkeypatch):
    other = create_profile(actor=ACTOR, user=alice, name="Night desk", content=sip_file("7009").encode())
    PersonMobility.objects.create(user=bob).profiles.add(other)
    create_profile(actor=ACTOR, user=bob, name="Old set", content=sip_file("7010").encode(), compatible_models=["7962"])
    menu = screen("em/login", desk, user="bob@acme.example", pin=PIN).items
    assert list(menu) == ["Bob's", "Night desk"]
    assert all(PIN not in url and len(url) <= 256 for url in menu.values())
    url = menu["Night desk"]
    assert screen(url, address="127.0.0.9").words.startswith("The choice took too long"), "from elsewhere"
    assert screen(url.replace("ticket=", "ticket=1")).words.startswith("The choice took too long")
    [ticket] = parse_qs(urlsplit(url).query)["ticket"]
    tells = base64.urlsafe_b64decode(ticket + "==")
    assert bob.pk.to_bytes(8, "big") not in tells
    assert desk.mac.encode() not in tells
    here = {"mac": desk.mac, "address": "127.0.0.1"}
    assert person_of(ticket, Purpose.LOG_IN, **here) == bob
    assert person_of(ticket, Purpose.ENROL, **here) is None, "for something else"
    now = time.time()
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: now + 121)
        assert person_of(ticket, Purpose.LOG_IN, **here) is None
    assert screen(url).words.startswith("Logging in as Bob Baker")
    assert session_of(desk).profile == other


def test_whose_pin_is_right_is_told_what_is_missing(desk, people, alice, bob, screen):
    assert screen("em/login", desk, user="alice@acme.example", pin=PIN).words == (
        "Login failed (12): The person has no device profile that fits this phone."
    )
    Phone.objects.filter(pk=desk.pk).update(base_profile=None)
    assert screen("em/login", desk, user="bob@acme.example", pin=PIN).words.startswith("Login failed (22): ")


def test_nobody_logs_out_another_ones_phone_from_elsewhere(desk, people, screen):
    screen("em/login", desk, user="bob@acme.example", pin=PIN)
    assert screen("em/logout", desk, address="127.0.0.9").words == "No one is logged in on this phone."
    assert screen("em", desk, address="127.0.0.9").tag == "CiscoIPPhoneInput"
    assert session_of(desk).state == SessionState.LOGGING_IN


def test_time_begins_anew(desk, people, screen):
    MobilityPolicy.objects.create(account=desk.account, longest_minutes=60)
    screen("em/login", desk, user="bob@acme.example", pin=PIN)
    first = session_of(desk).until
    MobilitySession.objects.update(until=first - timedelta(minutes=50))
    screen("em/extend", desk)
    assert session_of(desk).until > first


def test_the_last_person_is_proposed_where_the_policy_says_so(desk, people, screen):
    screen("em/login", desk, user="bob@acme.example", pin=PIN)
    assert screen("em/login", desk).all("InputItem/DefaultValue") == []
    MobilityPolicy.objects.create(account=desk.account, remember_last_user=True)
    assert screen("em/login", desk).all("InputItem/DefaultValue") == ["bob@acme.example"]


def test_somebody_else_logs_in_with_their_own_pin(site, mobile, people, device, screen, work):
    phone, mine = mobile(), device("Alice")
    device("Bob")
    with site.alive(phone):
        screen("em/login", phone, user="bob@acme.example", pin=PIN)
        work(stands(phone, SessionState.LOGGED_IN))
        first = session_of(phone)
        screen("em/login", phone, user="alice@acme.example", pin=PIN)
        first.refresh_from_db()
        assert (first.state, first.why) == (SessionState.LOGGING_OUT, "another-login")
        work(stands(phone, SessionState.LOGGED_IN))
        assert site.file_of(phone) == mine.content
    first.refresh_from_db()
    assert first.state == SessionState.LOGGED_OUT
    assert first.logout == session_of(phone).login


@pytest.mark.parametrize("rule", Second)
def test_on_a_second_phone(site, mobile, people, device, screen, work, rule):
    first, second, profile = mobile(), mobile(location="Porto"), device("Bob")
    # The policy of the account is another one than that of the place.
    MobilityPolicy.objects.create(account=first.account, second_phone=Second.REFUSE if rule == Second.MANY else "many")
    MobilityPolicy.objects.create(account=first.account, location="porto", second_phone=rule)
    with site.alive(first, second):
        screen("em/login", first, user="bob@acme.example", pin=PIN)
        work(stands(first, SessionState.LOGGED_IN))
        shown = screen("em/login", second, user="bob@acme.example", pin=PIN)
        if rule == Second.REFUSE:
            assert shown.words == f"Login failed (25): The person is logged in on SEP{first.mac}."
            assert session_of(second) is None
            return
        work(stands(second, SessionState.LOGGED_IN))
        assert site.file_of(second) == profile.content
        if rule == Second.MOVE:
            work(stands(first, SessionState.LOGGED_OUT))
            assert session_of(first).why == "elsewhere"
            assert site.file_of(first) == mobile.base.content
        else:
            assert session_of(first).state == SessionState.LOGGED_IN
            assert site.file_of(first) == profile.content
