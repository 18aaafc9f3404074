"""A rollout beside others, and what is done to it in the moment between two statements of a worker."""

from contextlib import closing
from datetime import timedelta
from threading import Thread

import pytest
from django.db import connection
from django.utils import timezone

from contacts_app.core.work.claim import Claims
from phones_app.deployment.batch import upload_batch
from phones_app.deployment.models import DeploymentStep, State
from phones_app.deployment.run import UploadBatches, run_one
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.counting import FEW
from phones_app.rollout.models import Rollout, RolloutCount
from phones_app.transports.ftp.pool import FtpPool
from tests.phones_app.site import sip_file
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("question", [1, 2])
def test_what_is_held_while_its_rollout_is_cancelled_is_cancelled_too(site, start, no_inline_work, question):
    if question == 2 and connection.vendor != "postgresql":
        pytest.skip("SQLite lets nobody write in the middle of a transaction of another one")
    phones, asked, owner = [site.phone()], [], "worker"

    def cancel():
        try:
            rollouts.cancel(rollout)
        finally:
            connection.close()

    def cancelled_after_question(execute, sql, *rest):
        found = execute(sql, *rest)
        if sql.startswith("SELECT") and '"phones_app_rollout"."uuid" IN' in sql:
            asked.append(sql)
            if len(asked) == question:
                cancelling.start()
                wait_for(lambda: not cancelling.is_alive() or waits_for_lock())
        return found

    cancelling = Thread(target=cancel)
    with site.alive(*phones) as fleet, closing(FtpPool()) as pool:
        rollout = start(phones, site.profile(content=sip_file("1002")))
        rollouts.advance_all()
        claim = Claims(UploadBatches(owner)).take()
        [[key]] = upload_batch(claim.keys, owner, pool)
        rollouts.pause(rollout)
        with connection.execute_wrapper(cancelled_after_question):
            run_one(key, owner, pool)
        cancelling.join()
        assert fleet[phones[0].mac].notifies == 0
    assert list(rollout.deployments.values_list("state", flat=True)) == [State.CANCELLED]
    assert not DeploymentStep.objects.filter(finished_at=None).exists()


def waits_for_lock() -> bool:
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")
        return bool(cursor.fetchone()[0])


def test_a_rollout_that_breaks_keeps_no_other_from_going_on(site, start, carry_out, no_inline_work):
    profile = site.profile(content=sip_file("1002"))
    phones = [site.phone(), site.phone()]
    with site.alive(*phones):
        broken, whole = (start([phone], profile) for phone in phones)
        # Its numbers were kept by another version, which knew less.
        Rollout.objects.filter(pk=broken.pk).update(total=FEW + 1)
        later = timezone.now() + timedelta(hours=1)
        RolloutCount.objects.create(rollout=broken, numbers={"wave": 0}, counted_at=later, next_at=later)
        carry_out(whole)
    assert list(whole.deployments.values_list("state", flat=True)) == [State.CONFIRMED]
    assert list(broken.deployments.values_list("state", flat=True)) == [State.QUEUED]
