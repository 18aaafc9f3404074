"""Many restarts through an Asterisk with 10,000 contacts, which takes 1.6 s to list them (Asterisk spec §E).

How long they take is measured by `python -m tests.bench restarts`.
"""

import pytest

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment, DeploymentStep, State
from phones_app.deployment.request import DEPLOYMENTS, restart_many
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager
from tests.peers.asterisk import Asterisk, Contact
from tests.peers.asterisk_pjsip import Pjsip
from tests.phones_app.site import ACTOR
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)

CONTACTS, PHONES = 10_016, 60


def mac_of(number: int) -> str:
    return f"02{number:010X}"


def large_pbx() -> Asterisk:
    contacts = []
    for number in range(CONTACTS):
        mac = mac_of(number).lower()
        place = {"ip": f"10.0.{number // 250}.{number % 250 + 1}", "port": 5060}
        contacts.append(Contact(str(number), f"{mac[:8]}-{mac[8:]}0001-1b2c3d4e-5f607182@{place['ip']}", **place))
    return Asterisk(allow_multiple_login=False, rights=("system",), pjsip=Pjsip(contacts, slow=True))


def restart_phones(account, pbx: Asterisk, count: int) -> None:
    """Until Asterisk has sent the last NOTIFY, with one worker."""
    manager = CallManager.objects.create(
        name="PBX", kind="ami", host="127.0.0.1", port=pbx.port, username=pbx.username, password=pbx.secret
    )
    place = {"phone_ip": "127.0.0.1", "web_port": free_port()}  # no status page answers
    numbers = range(0, CONTACTS // count * count, CONTACTS // count)
    phones = Phone.objects.bulk_create(
        Phone(mac=mac_of(n), account=account, line_user=str(n), call_manager=manager, **place) for n in numbers
    )
    restart_many(phones=phones, actor=ACTOR)
    while Deployment.objects.exclude(state=State.RESTART_ACKNOWLEDGED).filter(finished_at=None).exists():
        # Without looking for evidence, which none of them gives.
        run_queue(DEPLOYMENTS, lambda: len(pbx.asked("PJSIPNotify")) == count)


def test_restarts_among_10000_contacts(acme, no_inline_work, settings):
    settings.CONFIRM_SECONDS = 600  # nobody fetches anything
    pbx = large_pbx()
    with pbx.running():
        restart_phones(acme, pbx, PHONES)
        assert len(pbx.asked("PJSIPNotify")) == PHONES
        assert len({pairs["Endpoint"] for pairs in map(dict, pbx.asked("PJSIPNotify"))}) == PHONES
        assert pbx.asked("PJSIPShowContacts") == []
        assert len(pbx.asked("Login")) == 1, "a session is kept"
    states = set(Deployment.objects.values_list("state", "error_code"))
    assert states == {(State.RESTART_ACKNOWLEDGED, "")}, states
    sent = DeploymentStep.objects.filter(kind="restart", message="Sent by Asterisk (ami-pjsip).")
    assert sent.count() == PHONES
