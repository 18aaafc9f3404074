"""What a phone fetches after its file tells whether it took it; by TFTP as well as by HTTP."""

import pytest

from phones_app.boot.models import FileFetch
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import deploy
from profiles_app.events.models.outbox import Event
from tests.phones_app.hands import switch_off, switch_on
from tests.phones_app.site import ACTOR, sip_file
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def urls(site) -> dict[str, str]:
    return {"http": f"http://127.0.0.1:{site.files.http_port}", "tftp": f"tftp://127.0.0.1:{site.files.tftp_port}"}


@pytest.mark.parametrize("protocol", ["http", "tftp"])
def test_a_file_that_is_fetched_again_and_again_was_rejected(site, finish, protocol):
    phone = site.phone()
    with site.alive(phone, config_url=urls(site)[protocol]) as fleet:
        fleet[phone.mac].fault = "rejecting"
        asked = deploy(phone=phone, profile=site.profile(content=sip_file(label="New")), actor=ACTOR)
        failed = finish(asked, until=lambda deployment: deployment.state == "rejected")
    assert failed.error_code == "file-rejected"
    assert "fetched it 3 times" in failed.error
    assert failed.evidence["protocol"] == protocol
    confirm = failed.steps.get(kind="confirm")
    assert (confirm.state, confirm.message) == ("failed", failed.error)
    event = Event.objects.latest("pk")
    assert ("failed-deployment" in event.tags, event.data["state"]) == (True, "rejected")


@pytest.mark.parametrize("protocol", ["http", "tftp"])
def test_a_file_that_is_accepted_stays_confirmed(site, finish, protocol):
    phone = site.phone()
    with site.alive(phone, config_url=urls(site)[protocol]) as fleet:
        asked = deploy(phone=phone, profile=site.profile(content=sip_file(label="New")), actor=ACTOR)
        done = finish(asked)
        assert fleet.wait_until(lambda: fleet[phone.mac].config_sha256 == asked.sha256)
    assert (done.state, done.evidence["kind"], done.evidence["protocol"]) == ("confirmed", "file-fetched", protocol)


def test_a_phone_that_goes_on_to_what_the_file_names_has_accepted_it(site, finish):
    """Dial template and soft keys are not there: that the phone asks for them is enough."""
    names = "<dialTemplate>dialplan.xml</dialTemplate><softKeyFile>softkeys.xml</softKeyFile>"
    content = sip_file().replace("<sipLines>", f"{names}<sipLines>")
    phone = site.phone(first_file=content)
    with site.alive(phone, asks_around=False) as fleet:
        finish(deploy(phone=phone, profile=site.profile(content=content), actor=ACTOR))
        # Somebody switches it off and on, again and again.
        for _ in range(3):
            switch_off(fleet, phone.mac)
            switch_on(fleet, phone.mac)
        wait_for(lambda: FileFetch.objects.filter(mac=phone.mac).exclude(followed_by="").count() >= 4)
        history = fleet[phone.mac].history
        assert fleet.wait_until(lambda: list(history).count("cannot get dialplan.xml: 404") >= 3)
    assert Deployment.objects.get().state == "confirmed"
