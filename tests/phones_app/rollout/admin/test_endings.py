"""What the admin says of a rollout that is over: a good end is green, and only that."""

import lxml.html
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import now

from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.rollout import counting
from phones_app.rollout.models import Rollout, RolloutMember
from tests.admin_people import at_desk

pytestmark = pytest.mark.django_db
LIST = reverse("admin:phones_app_rollout_changelist")


@pytest.fixture(params=["small", "large"])
def over(request, root, acme, monkeypatch):
    """Makes a rollout that is over, by how many phones ended in which state; of a large one the numbers are kept."""
    if request.param == "large":
        monkeypatch.setattr(counting, "FEW", 0)

    def over(state: str = "finished", **phones: int) -> Rollout:
        said = {"requested_by": "x", "channel": "admin", "finished_at": now()}
        rollout = Rollout.objects.create(
            account=acme, user=root, total=sum(phones.values()), state=state, waves=1, wave=1, **said
        )
        states = [state for state, number in phones.items() for _ in range(number)]
        first = Phone.objects.count()
        for number, ended in enumerate(states, first):
            phone = Phone.objects.create(mac=f"02{number:010X}", account=acme)
            row = Deployment.objects.create(
                account=acme, phone=phone, mac=phone.mac, state=ended, started_at=now(), next_attempt_at=None, **said
            )
            RolloutMember.objects.create(rollout=rollout, deployment=row, wave=1)
        counting.count_anew(rollout)
        return rollout

    return over


def state_on(page: str) -> tuple[str, str]:
    """The state in its colour, of the list's first row or of the page of a rollout."""
    shown = lxml.html.fromstring(page)
    [place, *_] = shown.xpath("//td[contains(@class, 'field-state_here')]") or shown.find_class("pb-headline-state")
    [label, *_] = [each for each in place.iter("span") if (each.text or "").strip()]
    colours = [colour for colour in ("red", "orange", "green", "base") if f" bg-{colour}" in label.get("class")]
    return label.text.strip(), colours[0]


@pytest.mark.parametrize(
    ("phones", "told"),
    [
        ({"confirmed": 3}, ("Finished", "green")),
        ({"failed": 2, "rejected": 1}, ("Finished, 3 failed", "red")),
        ({"confirmed": 2, "failed": 1}, ("Finished, 1 failed", "orange")),
        ({"failed": 2, "restart_acknowledged": 1}, ("Finished, 2 failed, 1 not confirmed", "red")),
        ({"restart_acknowledged": 3}, ("Finished, 3 not confirmed", "orange")),
    ],
)
def test_the_state_of_a_rollout_tells_how_its_phones_ended(over, root, phones, told):
    rollout, desk = over(**phones), at_desk(root)
    assert state_on(desk.get(LIST).text) == told
    assert state_on(desk.get(reverse("admin:phones_app_rollout_change", args=[rollout.pk])).text) == told
    bell = desk.get(reverse("admin:work")).text
    assert f">{told[0]}," in bell
    assert ("pb-badge-bad" in desk.get(reverse("admin:index")).text) == (told[1] == "red")


def test_a_cancelled_one_says_so_alone(over, root):
    over(state="cancelled", failed=1, cancelled=2)
    assert state_on(at_desk(root).get(LIST).text) == ("Cancelled", "base")


def test_the_list_costs_the_same_whatever_is_over(over, root):
    desk = at_desk(root)
    over(failed=1)
    desk.get(LIST)
    with CaptureQueriesContext(connection) as few:
        desk.get(LIST)
    for _ in range(5):
        over(confirmed=1, failed=1)
    with CaptureQueriesContext(connection) as many:
        desk.get(LIST)
    assert len(many) == len(few)


def test_channels_are_named(over, root):
    rollout = over(confirmed=1)
    desk, [row] = at_desk(root), Deployment.objects.all()
    for page in ("rollout", rollout), ("deployment", row):
        assert "by x (Admin)" in desk.get(reverse(f"admin:phones_app_{page[0]}_change", args=[page[1].pk])).text
