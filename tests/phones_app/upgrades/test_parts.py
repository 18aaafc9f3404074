"""What of a load a phone must fetch: its own hardware's part, and nothing that stands behind a condition."""

from datetime import timedelta

import pytest
from django.utils import timezone

from phones_app.boot.models import RequestedFile
from phones_app.deployment.models import Deployment
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout, RolloutMember
from phones_app.upgrades.judgement import fault_of, fetched_of
from phones_app.upgrades.models import Upgrade

pytestmark = pytest.mark.django_db
LOAD = "sip88xx.14-2-1-0101-14"
LISTED = {"": ["kernel"], "PLATFORM_1": ["rootfs", "boot"], "PLATFORM_2": ["rootfs2", "boot", "codec"]}


def component(name: str, platform: str = "", condition: str = "") -> dict[str, str]:
    return {"name": name, "platform": platform, "condition": condition, "sha256": ""}


@pytest.fixture
def judged(alice):
    """A function: the code and the words for a phone that has fetched these files of a load that has these."""
    phone = Phone.objects.create(account=alice.account, mac="AABBCCDDEE01", model="8841")
    deployment = Deployment.objects.create(account=alice.account, phone=phone, mac=phone.mac, kind="deploy")
    rollout = Rollout.objects.create(load=LOAD)
    member = RolloutMember.objects.create(rollout=rollout, deployment=deployment, wave=0)
    upgrade = Upgrade.objects.create(member=member, account=alice.account, phone=phone, mac=phone.mac, way=[LOAD])

    def judged(components: list[dict[str, str]], *names: str) -> tuple[str, str]:
        now = timezone.now()
        Firmware.objects.create(load=LOAD, size=1, components=[component(f"{LOAD}.loads"), *components])
        phone.looked_at, phone.look_error = now + timedelta(minutes=5), ""
        RequestedFile.objects.bulk_create(
            RequestedFile(client=phone.mac, mac=phone.mac, name=name, is_missing=False, first_at=now, last_at=now)
            for name in (f"{LOAD}.loads", *names)
        )
        fault = fault_of(upgrade, phone, deployment, fetched_of(upgrade, now - timedelta(minutes=1)))
        return fault.code, fault.text

    return judged


@pytest.mark.parametrize(
    ("fetched", "code", "said"),
    [
        (("kernel", "rootfs", "boot"), "load-rejected", "whole"),
        (("KERNEL", "rootfs2", "codec", "boot"), "load-rejected", "whole"),
        (("rootfs", "boot"), "load-not-whole", "3 of the 4 files"),
        (("kernel", "rootfs2", "codec"), "load-not-whole", "4 of the 5 files"),
        # What both have does not say which it is.
        (("kernel", "boot"), "load-not-whole", "3 of the 4 files"),
        ((), "load-not-whole", "1 of the 4 files"),
    ],
)
def test_a_phone_fetches_the_part_of_its_own_hardware(judged, fetched, code, said):
    components = [component(name, platform) for platform, names in LISTED.items() for name in names]
    found, text = judged(components, *fetched)
    assert (found, said in text) == (code, True), text


@pytest.mark.parametrize(
    ("fetched", "code"),
    [(("APP",), "load-rejected"), (("APP", "WLAN"), "load-rejected"), (("WLAN",), "load-not-whole")],
)
def test_what_stands_behind_a_condition_need_not_be_fetched(judged, fetched, code):
    components = [component("APP"), component("WLAN", condition="HW_REV 0-4.*")]
    assert judged(components, *fetched)[0] == code
