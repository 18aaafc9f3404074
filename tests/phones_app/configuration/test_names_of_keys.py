"""Keys without a label are called as whom they call, also when that one is renamed."""

import pytest

from contacts_app.core.work.queue import run_queue
from phones_app.configuration.changes import CONFIGURATIONS
from phones_app.configuration.models import PhoneConfiguration
from phones_app.configuration.rendering import rendering_of
from profiles_app.phone.models import KeyLayout, PhoneProfile, Source
from tests.phones_app.configuration.data import layer, line, phone

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_key_follows_the_name_of_the_extension_that_it_calls(acme, other, alice, no_inline_work):
    profile = PhoneProfile.objects.create(user=alice, name="Built in", source=Source.BUILT_IN)
    keys = [{"module": 0, "position": 2, "kind": "blf", "target": "302"}]
    keys += [{"module": 0, "position": 3, "kind": "speed-dial", "target": "302", "label": "Boss"}]
    layout = KeyLayout.objects.create(account=acme, name="Desk", keys=keys)
    layer(acme, values={"call_managers": "10.0.0.1"}, key_layout=layout)
    one = phone(acme, 1, profile)
    layer(acme, kind="phone", phone=one, lines=[line(acme, "301")])
    line(other, "302", label="A stranger")
    assert b"<featureLabel>302</featureLabel>" in rendering_of(one).content
    boss = line(acme, "302", label="Ida Berg")
    content = rendering_of(one).content
    assert b"<featureLabel>Ida Berg</featureLabel>" in content
    assert b"<featureLabel>Boss</featureLabel>" in content
    run_queue(CONFIGURATIONS)
    row = PhoneConfiguration.objects.get()
    assert (row.error, row.due_at) == ("", None)
    before = row.sha256
    boss.label = "Ida Falk"
    boss.save()
    assert PhoneConfiguration.objects.get().due_at
    run_queue(CONFIGURATIONS)
    assert PhoneConfiguration.objects.get().sha256 != before
    boss.delete()
    assert PhoneConfiguration.objects.get().due_at
