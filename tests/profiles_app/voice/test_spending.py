"""Voice admission spec §7, case 3: money of a day, what running calls have cost, and the alert."""

from datetime import timedelta

import pytest

from contacts_app.contacts.models.mail import Notice
from profiles_app.events.models.outbox import Event
from profiles_app.voice.models.admission import Admission, VoiceUsage
from profiles_app.voice.spending import SPEND_ALERT

pytestmark = pytest.mark.django_db
LIMIT = ("daily-spend-limit", "D39")


def alerts():
    return [event.data for event in Event.objects.order_by("pk") if SPEND_ALERT in event.tags]


def test_the_call_that_would_pass_the_limit_is_refused(pbx):
    pbx.limit(daily_spend_limit=0.3)
    for _ in range(3):
        pbx.closed(pbx.admitted(rate=0.1), seconds=60)
    answer = pbx.ask(rate=0.1)
    assert (answer["reason"], answer["code"]) == LIMIT
    assert answer["message"].startswith("0.30 of 0.3 US dollars are spent")
    # Nobody knows what a call costs whose price is unknown; a free one passes no limit.
    assert pbx.refused() == LIMIT
    pbx.admitted(rate=0)


def test_a_running_call_costs_its_first_interval_from_the_start(pbx):
    pbx.limit(daily_spend_limit=1)
    calls = [pbx.admitted(rate=0.4), pbx.admitted(rate=0.4)]
    assert pbx.refused(rate=0.4) == LIMIT
    pbx.closed(calls[0])  # Not answered.
    pbx.admitted(rate=0.4)


def test_a_running_call_costs_every_interval_that_has_begun(pbx, later, ago):
    pbx.limit(daily_spend_limit=1)
    call = pbx.admitted(rate=0.2)
    pbx.renewed(call, answered_on=ago())
    later(seconds=110)
    pbx.renewed(call)
    assert pbx.refused(rate=0.61) == LIMIT
    pbx.admitted(rate=0.6)


def test_what_is_not_renewed_costs_nothing_more(pbx, later, ago, settings):
    settings.VOICE_LEASE_SECONDS = 60
    pbx.limit(daily_spend_limit=1)
    pbx.renewed(pbx.admitted(rate=0.2), answered_on=ago())
    pbx.admitted(rate=0.2)  # Of this one nothing is heard at all.
    later(hours=2)
    pbx.admitted(rate=0.8)


def test_the_day_turns(pbx):
    pbx.limit(daily_spend_limit=1)
    pbx.closed(pbx.admitted(rate=1), seconds=60)
    assert pbx.refused(rate=1) == LIMIT
    VoiceUsage.objects.update(day=VoiceUsage.objects.get().day - timedelta(days=1))
    pbx.closed(pbx.admitted(rate=1), seconds=60)
    assert pbx.refused(rate=1) == LIMIT
    assert len(alerts()) == 2


def test_the_alert_comes_once_a_day_as_event_and_mail(pbx, alice):
    pbx.limit(daily_spend_limit=10)
    pbx.closed(pbx.admitted(rate=1), seconds=60, cost=7.9)
    assert alerts() == []
    call = pbx.admitted(rate=0.1)
    told = alerts()
    assert [(one["spent"], one["limit"], one["percent"]) for one in told] == [("8.00", "10.00", 80)]
    assert told[0]["uuid"] == pbx.profile["uuid"]
    [notice] = Notice.objects.filter(event_class="voice_spend_alert")
    assert notice.title == "Calls (123456): 80 % of the daily spend limit are spent"
    pbx.renewed(call)
    pbx.closed(call, seconds=120)
    pbx.admitted(rate=0.1)
    assert len(alerts()) == Notice.objects.filter(event_class="voice_spend_alert").count() == 1


def test_what_is_refused_spends_nothing(pbx):
    pbx.limit(daily_spend_limit=1)
    assert pbx.refused(rate=1.01) == LIMIT
    assert alerts() == []
    assert Admission.objects.get().spent == 0
