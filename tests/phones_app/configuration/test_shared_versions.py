"""Phones fetch a language or tones again only when the version in their file changes: it follows what is shared."""

import re

import pytest

from phones_app.configuration.changes import outdated
from phones_app.configuration.models import Layer, PhoneConfiguration
from phones_app.configuration.rendering import rendering_of, revisions_for
from phones_app.configuration.wanted import Configurations
from phones_app.shared_files import services, store
from profiles_app.phone.models import PhoneProfile, Source
from tests.phones_app.configuration.data import layer, line, phone

pytestmark = pytest.mark.django_db
JAR, TONES = "German_Germany/mk-sip.jar", "Germany/g3-tones.xml"


@pytest.fixture(autouse=True)
def contents(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"


@pytest.fixture
def german(acme, alice):
    """A 7962 whose account speaks German."""
    layer(acme, values={"call_managers": "192.0.2.9", "user_locale": "German_Germany", "tones": "Germany"})
    profile = PhoneProfile.objects.create(user=alice, name="Built in", source=Source.BUILT_IN)
    one = phone(acme, 1, profile, model="7962")
    layer(acme, kind="phone", phone=one, lines=[line(acme)])
    return one


def share(path: str, content: bytes, **owner: object):
    return services.put(path, store.store([content]), **owner)


def versions(one) -> list[str]:
    """Of the language and of the tones; "" for none."""
    text = rendering_of(one).content.decode()
    parts = (re.search(rf"<{name}>.*?</{name}>", text, re.DOTALL)[0] for name in ("userLocale", "networkLocaleInfo"))
    return [(re.search("<version>(.*)</version>", part) or ["", ""])[1] for part in parts]


def test_the_version_follows_the_file_that_the_phone_is_given(german, acme, other):
    assert versions(german) == ["", ""]
    share(JAR.upper(), b"one")
    share("German_Germany/td-sip.jar", b"of other models")
    share(JAR, b"of another account", account=other)
    language, tones = versions(german)
    assert (re.fullmatch(r"1\.0\.0\.0-\d+", language) is not None, tones) == (True, "")
    share(JAR, b"one"), share(TONES, b"<tones/>")
    assert versions(german)[0] == language
    assert versions(german)[1] != ""
    told = {language}
    for content, owner in ((b"two", {}), (b"of Acme", {"account": acme}), (b"own", {"account": acme, "phone": german})):
        share(JAR, content, **owner)
        told.add(versions(german)[0])
    assert len(told) == 4
    share(JAR, b"three")
    assert versions(german)[0] in told, "its own comes first"


def test_a_version_that_a_layer_says_stays(german, acme):
    share(JAR, b"one")
    row = Layer.objects.get(kind="account")
    row.values |= {"user_locale_version": "14.0.0.0(1)"}
    row.save()
    assert versions(german) == ["14.0.0.0(1)", ""]


def work() -> int:
    """Have worked out what phones should run that a change has marked; of how many that was."""
    due = list(Configurations.due().values_list("pk", flat=True))
    Configurations("test").do(due)
    assert not PhoneConfiguration.objects.exclude(error="").exists()
    return len(due)


def test_phones_are_outdated_by_another_language(german, acme, other):
    work()
    PhoneConfiguration.objects.update(file_sha256=PhoneConfiguration.objects.get().sha256)
    share("Ringlist.xml", b"<CiscoIPPhoneRingList/>")
    share("French_France/mk-sip.jar", b"another language")
    share(JAR, b"another account's", account=other)
    assert work() == 0
    row = share(JAR, b"one", account=acme)
    assert (work(), list(outdated())) == (1, [german])
    services.remove([row])
    assert (work(), list(outdated())) == (1, [])
    share(JAR, b"own", account=acme, phone=german)
    assert (work(), list(outdated())) == (1, [german])


def test_one_query_more_for_any_number_of_phones(german, acme, django_assert_max_num_queries):
    share(JAR, b"one")
    more = [phone(acme, number, german.current_profile, model="7962") for number in range(2, 12)]
    with django_assert_max_num_queries(20) as one:
        revisions_for([german], store=False)
    with django_assert_max_num_queries(len(one)):
        revisions_for([german, *more], store=False)
