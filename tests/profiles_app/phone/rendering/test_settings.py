"""The catalogue of settings: what it takes, what a file says for it, and that it is whole (configuration spec §4.2)."""

from zoneinfo import ZoneInfo

import pytest

from profiles_app.phone.rendering.series import all_series
from profiles_app.phone.rendering.settings import (
    all_settings,
    check_value,
    file_values,
    find_setting,
    personal,
    settings_by_path,
    time_zone,
)
from profiles_app.phone.rendering.values import DeviceOf
from profiles_app.phone.sep import elements
from tests import settings_reference

TYPES = {"boolean", "choice", "number", "text", "host", "url", "list", "password", "time", "time-zone"}


def setting(name):
    found = find_setting(name)
    assert found is not None
    return found


def written(model, **values):
    return file_values(values, DeviceOf("00005E005301", model))


def test_every_setting_is_told_in_words():
    assert len(all_settings()) > 150
    for each in all_settings():
        assert each.label, each.name
        assert each.help.endswith("."), each.name
        assert (each.type in TYPES, each.travels in ("D", "P")) == (True, True), each.name
        assert (each.type == "number") == (each.range is not None), each.name
        assert bool(each.most) == (each.type == "list"), each.name
        assert bool(each.pattern) == bool(each.format), each.name
    # No two of them fight for a place in the file.
    assert len(settings_by_path()) == len(all_settings())
    assert [each.name for each in all_settings() if each.default is None] == ["call_managers"]


def test_no_value_is_longer_than_its_element():
    for path, limits in elements.TABLES["lengths"].items():
        for each in all_settings():
            parent, _, tag = each.path.rpartition("/")
            if tag in limits and (path == "*" or path.removeprefix(".//").removesuffix("/*") in (parent, each.path)):
                assert each.longest <= limits[tag], each.name
    assert setting("call_managers").longest == setting("ntp_servers").longest == 50


def test_the_reference_is_what_the_catalogue_says():
    assert settings_reference.DOCUMENT.read_text(encoding="utf-8") == settings_reference.document(), (
        "make settings-reference"
    )


def test_no_element_is_unknown_to_the_checker_in_spelling():
    known = {*elements._SPELT, "tls12Only", "disableTLSCiphers"}
    for each in all_settings():
        tag = each.path.rpartition("/")[2]
        right = elements._SPELLINGS.get(tag.lower())
        assert right in (None, tag) or tag in known, each.name


@pytest.mark.parametrize(
    ("name", "text", "stored"),
    [
        ("web_access", " On ", "on"),
        ("nat", "TRUE", "on"),
        ("call_managers", "pbx1.example.org;10.0.0.2\n10.0.0.3", "pbx1.example.org, 10.0.0.2, 10.0.0.3"),
        ("timer_t1", "0500", "500"),
        ("display_on_time", "8:30", "08:30"),
        ("display_off_days", "saturday,Sunday", "saturday, sunday"),
        ("log_server", "logs.example.org:514", "logs.example.org:514"),
        ("time_zone", "Europe/Berlin", "Europe/Berlin"),
        ("directory_url", "Application:Cisco/PersonalDirectory", "Application:Cisco/PersonalDirectory"),
        ("ssh_password", " spaces count ", " spaces count "),
        ("phone_label", "", ""),
        ("date_format", "M/D/YYA", "M/D/YYA"),
    ],
)
def test_a_value_is_stored_in_one_spelling(name, text, stored):
    assert check_value(setting(name), text) == stored


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("web_access", "1", "takes on, off, read-only"),
        ("nat", "0", "takes on or off"),
        ("call_managers", "", "cannot be empty"),
        ("call_managers", "a, b, c, d, e, f", "5 entries at most"),
        ("call_managers", "http://pbx/", "name or address of a host"),
        ("call_managers", "10.0.0.1:5060", "without a port"),
        ("timer_t1", "99", "from 100 to 10000 milliseconds"),
        ("timer_t1", "1" * 5000, "phones take 255"),
        ("timer_t1", "٣", "from 100"),
        ("display_on_time", "24:30", "hours and minutes"),
        ("phone_label", "x" * 13, "phones take 12"),
        ("phone_label", "a\nb", "one line"),
        ("phone_label", "a\x00b", "one line"),
        ("messages_url", "pbx/page", "takes an address"),
        ("messages_url", "http:///page", "takes an address"),
        ("messages_url", "http://[", "takes an address"),
        ("messages_url", "http://pbx:99999/", "takes an address"),
        ("time_zone", "Europe/Nowhere", "No time zone"),
        ("date_format", "YMD", "D, M and Y"),
        ("date_format", "D/M-Y", "D, M and Y"),
        ("soft_key_file", "../SEP.xml", "name of a file"),
        ("dtmf_level", "6", "takes 1, 2, 3, 4, 5"),
    ],
)
def test_a_wrong_value_is_told_in_a_sentence(name, text, words):
    with pytest.raises(ValueError, match=words) as refused:
        check_value(setting(name), text)
    assert str(refused.value).endswith((".", "”"))


def test_what_the_file_says_is_not_what_people_say():
    values = written("8841", web_access="on", ssh_access="off", speaker="on", call_managers="a, b")
    assert (values["web_access"], values["ssh_access"], values["speaker"]) == ("0", "1", "false")
    assert values["call_managers"] == ("a", "b")
    assert written("8841", display_off_days="saturday, sunday")["display_off_days"] == "7,1"


@pytest.mark.parametrize(
    ("model", "said"),
    [
        ("7962", {"on": "1", "off": "0", "always": "3", "never": "2"}),
        ("8945", {"on": "2", "off": "0", "always": "3", "never": "1"}),
        ("8845", {"on": "1", "off": "0", "always": "1", "never": "0"}),
    ],
)
@pytest.mark.parametrize("name", ["anonymous_call_block", "caller_id_block", "call_waiting", "presence_in_lists"])
def test_a_value_differs_between_series(name, model, said):
    assert {value: written(model, **{name: value})[name] for value in said} == said


def test_a_setting_that_the_series_does_not_know_is_not_written():
    assert written("7962", line_mode="enhanced")["line_mode"] == ""
    assert written("8841", line_mode="enhanced")["line_mode"] == "1"
    # Of a phone that is not known, nothing is held back.
    assert written("9999", line_mode="enhanced")["line_mode"] == "1"


def test_a_setting_without_a_value_is_empty_and_one_that_is_needed_is_missing():
    values = written("8841")
    assert values["line_mode"] == ""
    assert values["ntp_servers"] == ()
    assert values["kpml"] == "0"
    assert values.keys() == {each.name for each in all_settings()} - {"call_managers"}
    # A layer can leave a default to the phone.
    assert written("8841", kpml="")["kpml"] == ""


def test_what_a_file_says_is_read_back():
    for each in all_settings():
        for series in all_series():
            for value in each.choices:
                said = each.written(value, series)
                if isinstance(said, str):
                    again = each.read(said, series) or ""
                    assert each.written(again, series) == said, (each.name, series, value)
    assert setting("web_access").read("7", "88xx") is None
    assert setting("display_off_days").read("7,1", "88xx") == "saturday, sunday"


def test_what_travels_is_of_the_person():
    assert {"user_locale", "ring_idle", "dnd_alert", "phone_label"} <= personal()
    assert not {"call_managers", "ntp_servers", "load", "time_zone", "security_mode", "tones"} & personal()


def test_passwords_are_secret():
    secret = {each.name for each in all_settings() if each.secret}
    assert secret == {"settings_password", "ssh_password", "web_admin_password"}
    assert {each.name for each in all_settings() if "assword" in each.path and "pswd" not in each.path} == secret


def test_places_are_mapped_to_the_zones_that_phones_know():
    zones = elements.TABLES["time_zones"]
    for zone, places in zones.items():
        assert time_zone(zone) == zone
        for place in places:
            ZoneInfo(place)
            assert time_zone(place) == zone
    assert time_zone("europe/berlin") == "W. Europe Standard/Daylight Time"
    assert time_zone("UTC") == "Greenwich Standard Time"
    assert time_zone("Africa/Nairobi") == "Saudi Arabia Standard Time"
    # No name in the list has this clock.
    assert time_zone("Asia/Kathmandu") is None
    assert written("8841", time_zone="Europe/Berlin")["time_zone"] == "W. Europe Standard/Daylight Time"
    assert written("8841", time_zone="China Standard/Daylight Time")["time_zone"] == "China Standard/Daylight Time"
