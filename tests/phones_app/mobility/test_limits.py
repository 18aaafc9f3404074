"""Case 8: whatever names people give, no object breaks a limit of the phones (mobility spec §2, §7).

What judges is the reader of the simulated phones, which has a table of the limits of its own.
"""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from contacts_app.accounts.models import Extension
from phones_app.inventory.models import Phone
from phones_app.mobility import screens
from phones_app.mobility.screens import FormField, Key
from phones_app.mobility.series import KEYS, SERIES, charsets_of
from phones_app.simulator.objects import read_object

PUSHED_BYTES = 40 * 1024
UTF8, LATIN, ONLY_LATIN = "utf-8,iso-8859-1;q=0.8", "iso-8859-1, utf-8;q=0.8", "iso-8859-1"
OFFERS = (UTF8, LATIN, ONLY_LATIN)
NAMES = {
    "200 characters": "x" * 200,
    "200 umlauts": "ü" * 200,
    "Cyrillic": "Иван Константинович Константинопольский " * 5,
    "markup": "<b>&amp;</b>\"'" * 40,
    "what XML has no place for": "\x00\x1b\ud800\ufffe\uffff" * 40 + "Bob",
    "letters with loose accents": "e\u0301\u0327" * 200,
    "beyond the first plane": "\U0001f4de" * 200,
    "nothing": "",
}


def read(screen: screens.Screen, series: str, offered: str):
    """As a phone does that offers these charsets; ObjectRefused is a failure."""
    content, charset = screen.encoded(SERIES[series], charsets_of(offered))
    assert len(content) <= PUSHED_BYTES
    return read_object(content, f"text/xml; charset={charset}", offered)


def every_object(words: str, url: str = "http://portal/x?a=1&b=2"):
    keys = [Key(role, name=words) for role in KEYS] + [Key("exit", url, words)] * 4
    many = [(words, url)] * 150
    yield screens.text(words, words * 30, keys=keys)
    yield screens.menu(words, words, many, keys=keys)
    yield screens.directory(words, words, many, keys=keys)
    yield screens.directory(words, words, [(words, "101")] * 150, keys=keys)
    yield screens.form(words, words, url, [FormField(words, "user", "A", words)] * 9, keys=keys)
    yield screens.error(4)


@pytest.mark.parametrize("series", SERIES)
@pytest.mark.parametrize("offered", OFFERS)
@pytest.mark.parametrize("words", NAMES.values(), ids=NAMES)
def test_every_object_stays_within_the_limits(words, offered, series):
    for screen in every_object(words):
        read(screen, series, offered)
    url = "http://portal/" + "&" * 242  # the longest there may be, which is longer still once it is written
    for screen in every_object(words, url):
        read(screen, series, offered)


@settings(max_examples=60, deadline=None)
@given(
    words=some.text(max_size=300),
    url=some.text(some.characters(codec="ascii"), min_size=1, max_size=300),
    offered=some.sampled_from(OFFERS),
    series=some.sampled_from(sorted(SERIES)),
)
def test_whatever_is_written_stays_within_the_limits(words, url, offered, series):
    try:
        made = list(every_object(words, url))
    except ValueError:
        assert len(url) > screens.MAX_URL or not url.isprintable() or " " in url
        return
    for screen in made:
        read(screen, series, offered)


def test_what_is_cut_is_cut_between_two_characters():
    accented = "a" * 31 + "e\u0301\u0327" + "z"
    assert read(screens.directory("", "", [(accented, "1")]), "88xx", UTF8).choices[0][0] in (
        "a" * 31,
        "a" * 31 + "ȩ́"[:2],
    )
    assert read(screens.text("", "щ" * 5000), "79xx", ONLY_LATIN).text == "щ" * 4000
    assert (
        read(screens.menu("", "", [("\U0001f4de" * 70, "http://portal/")]), "88xx", UTF8).choices[0][0]
        == "\U0001f4de" * 64
    )


def test_what_does_not_fit_is_left_out_and_never_wrong():
    long = "http://portal/" + "x" * 250
    assert [name for name, _ in read(screens.menu("", "", [("a", long), ("b", "http://b")]), "88xx", UTF8).choices] == [
        "b"
    ]
    directory = screens.directory(
        "", "", [("Too long", "1" * 33), ("Fits", "1" * 32)], keys=[Key("next", long), Key("exit")]
    )
    shown = read(directory, "88xx", UTF8)
    assert shown.choices == (("Fits", "1" * 32),)
    assert shown.keys == {1: ("Exit", "SoftKey:Exit")}
    with pytest.raises(ValueError, match="URL"):
        screens.form("", "", long, [FormField("PIN", "pin", "NP")])


def test_an_object_that_is_pushed_has_only_what_the_series_knows():
    items = [
        (0, "Init:Services"),
        (1, "Display:On"),
        (2, "http://portal/" + "x" * 240),
        (0, "Key:Services"),
        (0, "Play:a"),
    ]
    for name, first in (("88xx", "Init:Services Display:On"), ("78xx", "Init:Services http")):
        shown = read(screens.execute(items, SERIES[name]), name, UTF8)
        assert " ".join(url for _, url in shown.choices).startswith(first)
        assert len(shown.choices) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "offered"), [("CP-7962G", LATIN), ("CP-7962G", ONLY_LATIN), ("CP-8851", UTF8)])
def test_every_page_is_an_object_that_the_phone_shows(see, acme, alice, phone, model, offered):
    acme.name, alice.first_name, alice.last_name = NAMES["Cyrillic"][:150], "ü" * 100, NAMES["Cyrillic"][:100]
    alice.phone = "+351 555 0100"
    alice.set_pin("1234")
    alice.save()
    Extension.objects.bulk_create(
        Extension(
            account=acme, number=100 + n, name=(name.replace("\x00", "").encode("utf-8", "ignore").decode())[:150]
        )
        for n, name in enumerate([*NAMES.values()] * 9)
    )
    kinds = {
        see(page, model=model, offered=offered, **{"mac": phone.mac} | values).kind
        for page, values in [
            *(
                ("dir", {}),
                ("dir", {"mac": "000000000001"}),
                ("cdir", {}),
                ("cdir", {"page": "0"}),
                ("cdir", {"page": "1"}),
            ),
            *(
                ("pdir", {}),
                ("pdir", {"user": alice.email, "pin": "9"}),
                ("pdir", {"user": alice.email, "pin": "1234"}),
            ),
            *(("pdir", {"page": "1"}), ("dir", {}), ("logout", {})),
        ]
    }
    assert kinds == {"CiscoIPPhoneText", "CiscoIPPhoneMenu", "CiscoIPPhoneDirectory", "CiscoIPPhoneInput"}
    assert Phone.objects.count() == 1
