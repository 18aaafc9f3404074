"""Requests per second of every dialect's reads and of a few writes, beside bare WSGI and plain DRF with the same rows.

Each is served by granian with two processes, as the product is, and asked in turn in the same run. Bare is psycopg with
prepared statements and orjson, no framework, no credential, no total. Plain is a DRF ModelSerializer. Processor time is
that of the web server's processes. BENCH_SECONDS says how long one turn takes, BENCH_ROUNDS how many there are.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from tests.bench.database import migrated
from tests.bench.figures import Figure
from tests.bench.requests_netbox import PATHS, NotMeasured, netbox
from tests.bench.requests_writes import writes
from tests.bench.sizes import rounds, size
from tests.bench.web import ROOT, answer, ask, request_of, web_server

SECONDS = size("BENCH_SECONDS", 2.0)
PHONES = 100_000
TICKS = os.sysconf("SC_CLK_TCK")
SERVED = {
    "bare": "tests.bench.requests_peers:bare",
    "plain": "tests.bench.requests_peers:plain",
    "ours": "config.wsgi:application",
}
NAMES = {"bare": "bare WSGI", "plain": "plain DRF", "netbox": "NetBox", "ours": "ours"}
# Of bare WSGI and of NetBox, by the clock.
OF_BARE, OF_BARE_LISTS, OF_BARE_WRITES, OF_NETBOX = 0.3, 0.25, 0.15, 90


def measure() -> Iterator[Figure]:
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        database = stack.enter_context(migrated())
        environment = os.environ | {"DATA_DIR": folder, "DATABASE_URL": database, "LOG_LEVEL": "WARNING"}
        environment["PHONE_NETWORKS"] = "127.0.0.0/8"  # from where phones ask
        inside = [sys.executable, "-m", "tests.bench.requests"]
        facts = json.loads(subprocess.check_output(inside, cwd=ROOT, env=environment))
        environment["BENCH_FACTS"] = json.dumps(facts)
        servers = {name: stack.enter_context(web_server(app, environment)) for name, app in SERVED.items()}
        missing = ""
        try:
            servers["netbox"] = stack.enter_context(netbox(database, PHONES, Path(folder)))
        except NotMeasured as error:
            missing = f"not measured: {error}"
        request = partial(request_of, token=facts["token"])
        for what, path in targets(facts).items():
            asked = {name: (*server, partial(request, path)) for name, server in servers.items() if name != "netbox"}
            if what in PATHS and "netbox" in servers:
                asked["netbox"] = (*servers["netbox"], partial(request, PATHS[what]))
            least = OF_BARE_LISTS if "25" in what or "same" in what else OF_BARE
            yield from _compared(what, asked, least, missing if what in PATHS else "")
        for what, write in writes(facts).items():
            asked = {name: (*servers[name], partial(write.request, facts["token"])) for name in ("ours", "bare")}
            yield from _compared(what, asked, OF_BARE_WRITES)


def targets(facts: dict[str, Any]) -> dict[str, str]:
    """What is asked, by what it is called in the table. Only lists and single phones are asked of plain DRF, too."""
    events = f"/v4/accounts/{facts['voip_id']}/integrations/events"
    return {
        "25 of 100,000 phones": "/api/v1/phones?limit=25",
        "the same, from 90,000 on": "/api/v1/phones?limit=25&offset=90000",
        "one phone": f"/api/v1/phones/{facts['mac']}",
        "25 notification contacts": "/api/2.0/notification_contacts/?limit=25",
        "25 numbers": "/rest/lease/tn",
        "25 messaging profiles": "/rest/profile/messaging",
        "25 voice profiles": "/rest/profile/outbound_voice",
        "25 callbacks": f"{events}/callbacks?limit=25",
        "25 listeners": f"{events}/listeners?limit=25",
        "25 MyAccount profiles": "/backend/api/v1/myAccountCustomerProfiles/?limit=25",
        "25 deployments": "/api/v1/deployments?limit=25",
        "a phone's menu": f"/cisco/services/dir?mac={facts['mac']}",
        "a phone's company directory": f"/cisco/services/cdir?mac={facts['mac']}",
        "may this push": f"/cisco/services/authenticate?devicename=SEP{facts['mac']}&UserID=push&Password=s3cret",
    }


def _compared(
    what: str, asked: dict[str, tuple[int, int, Callable[[], bytes]]], least: float, without_netbox: str = ""
) -> Iterator[Figure]:
    """Every server in turn, in each round; `asked` says port, group of processes, and what makes requests."""
    if "plain" in asked and answer(asked["plain"][0], asked["plain"][2]())[0] != 200:
        del asked["plain"]
    rates: dict[str, list[float]] = {name: [] for name in asked}
    costs: dict[str, list[float]] = {name: [] for name in asked}
    for name, (port, _, request) in asked.items():
        status, body = answer(port, request())
        assert status in (200, 201), (name, what, body[:500])
        ask(port, request, 0.5)
    for _ in rounds():
        for name, (port, group, request) in asked.items():
            before = _processor_seconds(group)
            took, seconds = ask(port, request, SECONDS)
            rates[name].append(len(took) / seconds)
            costs[name].append(1000 * (_processor_seconds(group) - before) / len(took))
    names = {name: f"{what}: {NAMES[name]}" for name in NAMES}
    for name in ("bare", "plain", "netbox"):
        if name in asked:
            yield Figure(names[name], rates[name], "/s", processor=costs[name])
    if without_netbox:
        yield Figure(names["netbox"], said=without_netbox)
    yield Figure(names["ours"], rates["ours"], "/s", names["bare"], costs["ours"], goal_ratio=least)
    if "netbox" in asked:
        beside, most = f"{names['ours']}, next to NetBox", None if "one" in what else OF_NETBOX
        yield Figure(beside, rates["ours"], "/s", names["netbox"], costs["ours"], goal_ratio=most)


def _processor_seconds(group: int) -> float:
    """Of the processes of a group, as the system counts it."""
    spent = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group:
            spent += int(fields[11]) + int(fields[12])
    return spent / TICKS


def _fill() -> dict[str, Any]:
    """One account with all these rows; the facts that requests name."""
    import django

    from config.environment import prepare

    prepare()
    django.setup()
    from django.db import connection, transaction

    from contacts_app.accounts.models import Extension
    from contacts_app.accounts.services import create_account
    from contacts_app.contacts.models.contact import NotificationContact
    from contacts_app.tokens.services import create_token
    from phones_app.deployment.models import Deployment
    from phones_app.inventory.models import Phone
    from phones_app.servers.models import CallManager, FileServer
    from profiles_app.events.models.setup import Callback, Listener
    from profiles_app.messaging.models import MessagingProfile, NumberLease
    from profiles_app.myaccount.models import MyAccountProfile
    from profiles_app.phone.models import Line
    from profiles_app.voice.models.profile import OutboundVoiceProfile
    from tests.many_rows import multiply, without_foreign_keys

    account = create_account(voip_id=1000001, name="Acme", email="office@acme.example")
    with transaction.atomic():
        server = FileServer.objects.create(name="Files", host="127.0.0.1", port=21, account=account)
        manager = CallManager.objects.create(name="Calls", host="127.0.0.1", port=5060, kind="sip", account=account)
        phones = [
            Phone(
                mac=f"{0x02AA00000000 + n:012X}",
                account=account,
                file_server=server,
                call_manager=manager,
                name=f"Phone {n}",
                description=f"Desk {n}, third floor",
                model="8845",
                location=f"Floor {n % 50}",
                software_type="SIP",
                software_version="sip8845.14-2-1",
                phone_ip=f"10.1.0.{n}",
                web_username="push",
                web_password="s3cret",
            )
            for n in range(100)
        ]
        Phone.objects.bulk_create(phones)
        without_foreign_keys()
        multiply(Phone, PHONES // 100 - 1)
        Deployment.objects.bulk_create(
            Deployment(account=account, mac=phone.mac, phone=phone, profile_name="Desk", state="confirmed")
            for phone in phones[:25]
        )
        NotificationContact.objects.bulk_create(
            NotificationContact(account=account, name=f"Contact {n}", email=f"contact{n}@acme.example")
            for n in range(1000)
        )
        lines = Line.objects.bulk_create(
            Line(account=account, extension=f"{n}", auth_password="kq81-vv0x-27ra") for n in range(100, 200)
        )
        Extension.objects.bulk_create(Extension(account=account, number=100 + n, name=f"Desk {n}") for n in range(100))
        url = "https://hooks.acme.example/sms?key=s3cret"
        profile = MessagingProfile.objects.create(account=account, name="Messages", callback_url=url)
        for n in range(25):
            NumberLease.objects.create(account=account, tn=12025550100 + n, messaging_profile=profile)
            MessagingProfile.objects.create(account=account, name=f"Messages {n}", callback_url=url)
            OutboundVoiceProfile.objects.create(account=account, name=f"Voice {n}", tech_prefix=100_000 + n)
            MyAccountProfile.objects.create(account=account, name=f"Portal {n}")
            callback = Callback(account=account, name=f"Callback {n}")
            callback.config = {"url": url}
            callback.save()
            Listener.objects.create(account=account, callback=callback)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {
        "token": create_token(account=account)[1],
        "account": account.pk,
        "voip_id": account.voip_id,
        "mac": phones[50].mac,
        # One of each is written at a time, and another one by the next request.
        "macs": [phone.mac for phone in phones],
        "lines": [str(line.uuid) for line in lines],
        "contacts": [str(contact.uuid) for contact in account.notification_contacts.exclude(main=True)[:100]],
    }


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    print(json.dumps(_fill()))
