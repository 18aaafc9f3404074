"""Many at once: phones, workers and people."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment, State
from phones_app.deployment.request import DEPLOYMENTS, deploy, deploy_many
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import wait_for

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]


def in_thread(work, *arguments):
    try:
        return work(*arguments)
    finally:
        connection.close()


def test_forty_phones_at_once_with_two_workers(site, settings):
    settings.CONFIRM_SECONDS = 150
    phones = [site.phone() for _ in range(40)]
    profile = site.profile(content=sip_file("1002"))
    with site.alive(*phones) as fleet, ThreadPoolExecutor(2) as workers:
        asked = deploy_many(phones=phones, profile=profile, actor=ACTOR)
        assert not asked.refused
        stopping = threading.Event()

        def work():
            while not stopping.wait(0.1):
                run_queue(DEPLOYMENTS)

        running = [workers.submit(in_thread, work) for _ in range(2)]
        try:
            wait_for(lambda: not Deployment.objects.filter(finished_at=None).exists(), 240)
        finally:
            stopping.set()
        for each in running:
            each.result()
        assert set(Deployment.objects.values_list("state", "error")) == {(State.CONFIRMED, "")}
        restarts = {phone.mac: fleet[phone.mac].restarts for phone in phones}
        assert restarts == dict.fromkeys(restarts, 1)
    assert {site.file_of(phone) for phone in phones} == {profile.content}


def test_of_twenty_simultaneous_requests_for_one_phone_the_last_one_stays(site):
    """Serialised: one runs at a time, and the file is that of the last one asked for."""
    phone = site.phone()
    profiles = [site.profile(f"Profile {number}", sip_file(f"2{number:03}")) for number in range(20)]
    with site.alive(phone), ThreadPoolExecutor(24) as crowd:
        asked = list(crowd.map(lambda one: in_thread(lambda: deploy(phone=phone, profile=one, actor=ACTOR)), profiles))
        wait_for(lambda: run_queue(DEPLOYMENTS) or not Deployment.objects.filter(finished_at=None).exists(), 240)
        wait_for(lambda: run_queue(DEPLOYMENTS) or not Deployment.objects.filter(finished_at=None).exists(), 240)
    last = max(asked, key=lambda deployment: deployment.pk)
    last.refresh_from_db()
    assert last.state == State.CONFIRMED, last.error
    assert site.file_of(phone) == last.revision.content
    assert Deployment.objects.filter(state=State.SUPERSEDED).count() == 19


def test_workers_that_start_together_never_take_the_same_deployment(site):
    phones = [site.phone(is_active=True) for _ in range(12)]
    profile = site.profile(content=sip_file("1002"))
    with site.alive(*phones) as fleet, ThreadPoolExecutor(6) as workers:
        deploy_many(phones=phones, profile=profile, actor=ACTOR)
        list(workers.map(lambda _: in_thread(run_queue, DEPLOYMENTS), range(6)))
        wait_for(lambda: run_queue(DEPLOYMENTS) == 0 and not Deployment.objects.filter(finished_at=None).exists(), 240)
        assert [fleet[phone.mac].notifies for phone in phones] == [1] * len(phones)
