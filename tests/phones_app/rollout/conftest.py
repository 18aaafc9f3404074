"""A few phones without agents, and a rollout to play with."""

import pytest

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.inventory.models import Phone
from phones_app.inventory.services import Selection
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.models import Rollout
from tests.phones_app.playing import play
from tests.phones_app.site import ACTOR


@pytest.fixture(autouse=True)
def patient(settings):
    """Phones that are there are confirmed, however busy the machine is; those that are not fail at once."""
    settings.CONFIRM_SECONDS = 60


@pytest.fixture
def start():
    """Start a rollout to phones, with the limits named."""

    def start(phones, profile, *, include_unchanged=False, **pace) -> Rollout:
        rows = Phone.objects.filter(pk__in=[phone.pk for phone in phones])
        return rollouts.start(
            selection=Selection(rows),
            profile=profile,
            actor=ACTOR,
            pace=Rollout(**pace),
            include_unchanged=include_unchanged,
        )

    return start


@pytest.fixture
def carry_out():
    """Play the worker until the rollout stands as asked."""

    def carry_out(rollout, until=lambda rollout: rollout.finished_at, seconds=180) -> Rollout:
        def work() -> None:
            run_queue(DEPLOYMENTS)
            rollouts.advance_all()

        def holds() -> bool:
            rollout.refresh_from_db()
            return until(rollout)

        def told() -> str:
            states = list(rollout.deployments.values_list("mac", "state", "in_rollout__wave", "waiting_for", "error"))
            return f"still {rollout.state}, wave {rollout.wave}: {states}"

        work()
        play(work, holds, seconds, told)
        return rollout

    return carry_out
