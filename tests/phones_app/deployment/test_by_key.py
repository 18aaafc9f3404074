"""That a worker finds its rows by their keys, however many others are open and whatever statistics say of them."""

import pytest
from django.db import connection
from django.utils import timezone

from contacts_app.core.work.claim import Claims
from phones_app.deployment import transitions
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import cancel, deploy_many
from phones_app.deployment.run import SingleDeployments
from phones_app.inventory.models import Phone
from tests.phones_app.site import ACTOR

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "postgresql", reason="PostgreSQL's statistics"),
]
# More than one page of the index of keys, so that going through a smaller index whole seems cheaper.
ENDED = 2000


@pytest.fixture
def ended(acme):
    """Deployments that ended, and statistics of a time when none was open, as on any morning."""
    now = timezone.now()
    Deployment.objects.bulk_create(
        Deployment(account=acme, mac="02AA00000001", state=State.CONFIRMED, finished_at=now) for _ in range(ENDED)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE phones_app_deployment")


def times_read() -> int:
    """How often this transaction has gone through the indexes of what is due."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT sum(pg_stat_get_xact_numscans(name::regclass)) "
            "FROM unnest(ARRAY['deployment_due', 'deployment_due_alone']) AS name"
        )
        return int(cursor.fetchone()[0])


def test_a_row_is_not_looked_for_among_all_that_are_due(site, ended, no_inline_work):
    profile = site.profile()
    phones = Phone.objects.filter(pk__in=[site.phone().pk for _ in range(3)])
    deploy_many(phones=list(phones), profile=profile, actor=ACTOR)
    claims, before = Claims(SingleDeployments("worker")), times_read()
    claim = claims.take()
    assert claim is not None
    claimed = times_read()
    assert claimed > before, "that is what they are for"
    [row] = Deployment.objects.filter(pk__in=claim.keys)
    assert transitions.started([row])
    for waiting in Deployment.objects.filter(state=State.QUEUED):
        cancel(waiting)
    assert times_read() == claimed
