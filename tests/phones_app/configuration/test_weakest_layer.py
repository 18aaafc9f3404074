"""Files lead to the portal's own services where no layer says anything else."""

import pytest

from phones_app.configuration.rendering import rendering_of
from profiles_app.phone.models import PhoneProfile, Source
from tests.phones_app.configuration.data import layer, line, phone

pytestmark = pytest.mark.django_db


def test_a_phone_asks_the_portal_about_pushes_unless_a_layer_says_otherwise(acme, alice, settings):
    settings.PHONE_SERVICES_URL = "http://portal.example"
    profile = PhoneProfile.objects.create(user=alice, name="Built in", source=Source.BUILT_IN)
    values = layer(acme, values={"call_managers": "10.0.0.1"}, lines=())
    one = phone(acme, 1, profile)
    layer(acme, kind="phone", phone=one, lines=[line(acme)])
    rendering = rendering_of(one, profile)
    assert b">http://portal.example/cisco/services/authenticate</authenticationURL>" in rendering.content
    assert rendering.values["authentication_url"].layer == "Patchbay"
    values.values |= {"authentication_url": "http://elsewhere.example/ask"}
    values.save()
    assert rendering_of(one, profile).values["authentication_url"].hides == ("Patchbay",)
