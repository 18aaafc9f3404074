"""Real device files, where the sample collection lies beside the project: each that is accepted arrives byte for byte."""

from pathlib import Path

import pytest

from phones_app.deployment.request import deploy
from profiles_app.phone import sep
from profiles_app.phone.services import ProfileRefused, create_profile
from tests.phones_app.site import ACTOR

pytestmark = pytest.mark.django_db(transaction=True)
SAMPLES = Path(__file__).resolve().parents[4] / "shared" / "samples" / "sep"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the sample collection is not there")
def test_every_sample_without_errors_is_deployed_byte_for_byte(site, finish):
    # Without an address the phone cannot be restarted, which is not what this is about.
    phone = site.phone(software_type=None, model="")
    type(phone).objects.update(phone_ip=None)
    arrived = 0
    for sample in sorted(SAMPLES.iterdir()):
        content = sample.read_bytes()
        try:
            profile = create_profile(actor=ACTOR, user=site.owner, name=sample.name, content=content)
        except ProfileRefused:
            assert any(finding.severity is sep.Severity.ERROR for finding in sep.check(content))
            continue
        phone.refresh_from_db()
        deployment = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
        assert deployment.uploaded_at, f"{sample.name}: {deployment.error}"
        assert site.file_of(phone) == content, sample.name
        arrived += 1
    # Most of the others are templates whose server nobody filled in.
    assert arrived > 15
