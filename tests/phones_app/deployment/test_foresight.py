"""What a preview says before: restarts that will not reach their phones, with the name of the setting behind it."""

import pytest

from phones_app.deployment.foresight import describe_restart
from phones_app.servers.models import CallManager
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db


def trouble(phone, profile=None) -> str:
    return describe_restart(phone, profile and profile.revision).trouble


def test_an_address_outside_of_the_networks(new_phone, settings):
    settings.PHONE_NETWORKS = "10.1.0.0/16"
    assert trouble(new_phone(phone_ip="10.1.2.3", line_user="1001")) == ""
    assert "PHONE_NETWORKS" in trouble(new_phone("AABBCCDDEE02", phone_ip="10.2.2.3", line_user="1001"))
    pbx = CallManager.objects.create(name="PBX", kind="ami", host="10.2.0.1", port=5038)
    assert "PHONE_NETWORKS" in trouble(new_phone("AABBCCDDEE03", phone_ip="10.1.2.4", call_manager=pbx))


@pytest.mark.parametrize(("number", "word"), [("1", "TCP"), ("3", "TLS"), ("2", "")])
def test_a_phone_by_tcp_needs_an_asterisk(new_phone, new_profile, settings, number, word):
    settings.PHONE_NETWORKS = "10.0.0.0/8"
    content = sip_file().replace("<transportLayerProtocol>2<", f"<transportLayerProtocol>{number}<")
    profile = new_profile(content=content)
    phone = new_phone(phone_ip="10.1.2.3")
    told = trouble(phone, profile)
    assert ("transportLayerProtocol" in told) == bool(word)
    assert word in told
    phone.call_manager = CallManager.objects.create(name="PBX", kind="ami", host="10.0.0.1", port=5038)
    assert trouble(phone, profile) == ""
