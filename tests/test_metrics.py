"""/metrics: what is counted, in several processes at once; who may see it; and the dashboard that is made of it."""

import json
import os
import re
import subprocess
import sys
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.conf import settings as configured
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

import config.middleware  # noqa: F401 -- what counts requests
from contacts_app.core.metrics import Counted, Timed
from contacts_app.core.work import clock
from contacts_app.core.work.models import note_run
from contacts_app.core.work.wake import SWEEP
from phones_app.inventory.models import Phone
from tests.processes import processes
from tests.servers import free_port, wait_for

ROOT = configured.BASE_DIR
OF_A_TEST = "Of a test."
DASHBOARD = ROOT / "docs" / "deploy" / "grafana.json"


def numbers(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float:
    return numbers(text).get((name, frozenset(labels.items())), 0.0)


def ask(**more) -> str:
    response = Client(**more).get("/metrics")
    assert response.status_code == 200, response.content
    return response.text


@pytest.mark.django_db
def test_numbers_are_for_this_machine_alone_unless_there_is_a_token(settings):
    assert Client().get("/metrics").status_code == 200
    assert Client(REMOTE_ADDR="192.0.2.1").get("/metrics").status_code == 403
    # A proxy on this machine passes on the requests of others.
    assert Client(headers={"X-Forwarded-For": "192.0.2.1"}).get("/metrics").status_code == 403
    settings.TRUSTED_PROXIES = "127.0.0.1"
    assert Client(headers={"X-Forwarded-For": "192.0.2.1"}).get("/metrics").status_code == 403
    settings.METRICS_TOKEN = "a token of its own"
    for said, status in (("", 403), ("Bearer wrong", 403), ("Bearer a token of its own", 200)):
        assert Client(REMOTE_ADDR="192.0.2.1", headers={"Authorization": said}).get("/metrics").status_code == status
    assert Client().get("/metrics").status_code == 403


@pytest.mark.django_db
def test_requests_are_counted_by_api_and_answer(client):
    name, labels = "patchbay_request_seconds_count", {"surface": "/api/v1/", "method": "GET", "answer": "4xx"}
    before = value(ask(), name, **labels)
    client.get("/api/v1/phones")
    client.generic("BREW", "/api/v1/phones")
    after = ask()
    assert value(after, name, **labels) == before + 1
    assert value(after, name, surface="/api/v1/", method="other", answer="4xx") >= 1


@pytest.mark.django_db
def test_work_that_is_due_is_told_with_its_age(acme, settings):
    settings.STATUS_CHECK_SECONDS = 900
    note_run(SWEEP)
    began = clock.now()
    for number in range(3):
        due = began - timedelta(seconds=100 * number)
        Phone.objects.create(mac=f"AABBCCDDEE0{number}", account=acme, phone_ip="127.0.0.1", next_check_at=due)
    told = ask()
    assert value(told, "patchbay_queue_due", kind="status-checks") == 3
    assert 200 <= value(told, "patchbay_queue_age_seconds", kind="status-checks") < 260
    assert value(told, "patchbay_queue_due", kind="deliveries") == 0
    assert 0 <= value(told, "patchbay_sweep_age_seconds") < 60
    assert 0 < value(told, "patchbay_disk_free_bytes") <= value(told, "patchbay_disk_size_bytes")


COUNT = """
import os, sys, django
from config.environment import prepare
prepare(); django.setup()
from contacts_app.core.metrics import Counted
TRIED = Counted("patchbay_tried_total", "Of a test.", "what")
for _ in range(1000):
    TRIED.add("test")
if os.fork() == 0:
    TRIED.add("test", by=10)
    os._exit(0)
os.wait()
print("counted", flush=True)
sys.stdin.read()
"""


@pytest.mark.django_db
def test_processes_count_together_and_nothing_is_lost_when_they_end():
    """This process counts as well, as it answers."""

    def start() -> "subprocess.Popen[str]":
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        environment = os.environ | {"DATA_DIR": str(configured.DATA_DIR), "DJANGO_SETTINGS_MODULE": "config.settings"}
        process = subprocess.Popen([sys.executable, "-c", COUNT], cwd=ROOT, env=environment, text=True, **pipes)
        assert process.stdout.readline() == "counted\n"
        return process

    def told() -> float:
        return value(ask(), "patchbay_tried_total", what="test")

    def files() -> set[str]:
        return {file.name for file in (configured.DATA_DIR / "metrics").iterdir()}

    assert told() == 0
    first = start()
    assert told() == 1010
    before = files()
    first.kill()
    first.wait()
    assert told() == 1010
    second = start()
    assert told() == 2020
    second.communicate()
    assert told() == 2020
    assert files() == before, "a later process continues the file of one that has ended"


def test_threads_count_together():
    counted = Counted("patchbay_threads_total", OF_A_TEST, "what")

    def add(_: int) -> None:
        for _ in range(200):
            counted.add("test")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(8)))
    assert counted.metric().labels("test")._value.get() == 1600


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_does_is_told_by_the_web_server(acme, tmp_path, no_inline_work):
    with processes(tmp_path) as running:
        running.environment["STATUS_CHECK_SECONDS"] = "900"
        running.start_worker()
        running.start_sweep()
        url = running.start_web()

        def told() -> float:
            with urllib.request.urlopen(f"{url}/metrics", timeout=60) as answer:
                return value(answer.read().decode(), "patchbay_status_checks_total", result="refused")

        before = told()
        # Nothing listens there.
        Phone.objects.create(mac="AABBCCDDEE01", account=acme, phone_ip="127.0.0.1", web_port=free_port())
        wait_for(lambda: told() > before)


def test_the_dashboard_shows_every_number_and_no_other():
    panels = json.loads(DASHBOARD.read_text())["panels"]
    asked = {
        name for panel in panels for target in panel["targets"] for name in re.findall(r"patchbay_\w+", target["expr"])
    }
    counted = {metric.name: metric for metric in Counted.declared if metric.text != OF_A_TEST}
    parts = ("bucket", "count", "sum")
    there = {name for name, metric in counted.items() if not isinstance(metric, Timed)}
    there |= {f"{name}_{part}" for name, metric in counted.items() if isinstance(metric, Timed) for part in parts}
    states = set(re.findall(r'"(patchbay_\w+)"', (ROOT / "contacts_app/core/metrics.py").read_text()))
    assert asked <= there | states, asked - there - states
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in asked}
    assert shown == set(counted) | states
