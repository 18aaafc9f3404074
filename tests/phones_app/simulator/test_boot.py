"""What phones of each family ask for when they start, and how they take another load."""

from typing import Any

import pytest

from phones_app.boot.fetches import Fetch
from phones_app.simulator.download import get
from phones_app.simulator.families import FAMILIES
from profiles_app.phone.companions.background import screen_sizes
from tests.phones_app.firmware.sets import as_folder, classic
from tests.phones_app.simulator.conftest import MAC, NAME, Desk, FetchLog, PlacePhone, device_file

TRUST_LISTS = [f"CTLSEP{MAC}.tlv", f"ITLSEP{MAC}.tlv", "ITLFile.tlv"]
OLD, GATE, TARGET = "SIP42.8-2-1S", "SIP42.8-5-2S", "SIP42.9-4-2SR3-1S"
NAMES_FILES = (
    "<userLocale><name>Portugal</name></userLocale><networkLocaleInfo><name>Portugal_net</name></networkLocaleInfo>"
    "<featurePolicyFile>featurePolicyDefault.xml</featurePolicyFile>"
)
DIALPLAN = "<sipProfile><dialTemplate>dialplan.xml</dialTemplate><softKeyFile>softkeys.xml</softKeyFile>"


def names_in(fetches: list[Fetch]) -> list[str]:
    return [fetch.file_name for fetch in fetches]


def names_all(protocol: str) -> bytes:
    return device_file(protocol, extra=NAMES_FILES).replace(b"<sipProfile>", DIALPLAN.encode())


def with_load(load: str) -> bytes:
    return device_file(extra=f"<loadInformation>{load}</loadInformation>")


@pytest.mark.parametrize(
    ("model", "protocol", "after"),
    [
        ("7962", "SIP", ["Portugal/mk-sip.jar", "Portugal_net/g3-tones.xml", "dialplan.xml", "softkeys.xml"]),
        ("7975", "SCCP", ["Portugal/td-sccp.jar", "Portugal_net/g3-tones.xml"]),
        (
            *("9971", "SIP"),
            [
                *("Portugal/gd-sip.jar", "Portugal_net/g4-tones.xml", "dialplan.xml", "softkeys.xml"),
                "featurePolicyDefault.xml",
            ],
        ),
        (
            *("8851", "SIP"),
            [
                *("Portugal/sl-be-sip.jar", "Portugal_net/g3-tones.xml", "AppDialRules.xml", f"CTLSEP{MAC}.tlv"),
                *("defaultheadsetconfig.json", "dialplan.xml", "softkeys.xml", "featurePolicyDefault.xml"),
            ],
        ),
    ],
)
def test_each_family_asks_in_its_own_order(
    model: str, protocol: str, after: list[str], place_phone: PlacePhone, fetch_log: FetchLog
) -> None:
    desk = place_phone(names_all(protocol), model=model, software_type=protocol)
    desk.fleet.do(desk.phone.look_around())
    last = desk.phone.family.on_demand[-1]
    asked = [fetch.file_name for fetch in fetch_log.wait_for(lambda all_: names_in(all_)[-1:] == [last])]
    assert asked == [*TRUST_LISTS, NAME, *after, *desk.phone.family.on_demand]


def test_phones_look_for_backgrounds_where_they_are_made() -> None:
    made = {f"Desktops/{size.folder}/List.xml" for size in screen_sizes() if size.preview}
    assert {name for family in FAMILIES for name in family.on_demand if name.startswith("Desktops/")} == made


def older_phone(place_phone: PlacePhone, **settings: Any) -> Desk:
    return place_phone(device_file(), model="7942", load=OLD, **settings)


def starts_again(desk: Desk, data: bytes) -> None:
    """The phone gets another file and is switched off and on."""
    desk.put_file(data)
    desk.phone.fault = "powered_off"
    desk.wait_until(lambda phone: not phone.is_up)
    desk.phone.fault = ""
    desk.wait_until(lambda phone: phone.registered and phone.history[-1] == "registers")


def told_load(desk: Desk) -> str:
    url = f"http://127.0.0.1:{desk.phone.web_port}/DeviceInformationX"
    page = desk.fleet.do(get(url, limit=10_000))[1].decode()
    return page.partition("<appLoadID>")[2].partition("</appLoadID>")[0]


def test_a_phone_passes_the_gate_before_it_takes_a_new_load(place_phone: PlacePhone, fetch_log: FetchLog) -> None:
    desk = older_phone(place_phone)
    gate = classic("8-5-2S", components="8-5-2ES1")
    as_folder(gate | classic(), desk.folder)
    starts_again(desk, with_load(TARGET))
    assert (desk.phone.load, told_load(desk)) == (OLD, OLD)
    assert any(f"AUTH FAIL {TARGET}.loads" in line for line in desk.phone.history)
    starts_again(desk, with_load(GATE))
    assert (desk.phone.load, told_load(desk), desk.phone.user_agent) == (GATE, GATE, "Cisco-CP7942/8.5.2")
    starts_again(desk, with_load(TARGET))
    assert (desk.phone.load, told_load(desk)) == (TARGET, TARGET)
    wanted = {NAME, *gate, *classic()}
    fetches = fetch_log.wait_for(lambda all_: wanted <= {fetch.file_name for fetch in all_ if fetch.complete})
    assert {fetch.file_name for fetch in fetches if fetch.complete} == wanted


def test_a_phone_keeps_its_load_until_the_other_one_is_all_there(place_phone: PlacePhone) -> None:
    desk = older_phone(place_phone)
    files = classic("8-5-2S", components="8-5-2ES1")
    starts_again(desk, with_load(GATE))
    assert any(line == f"keeps {OLD}: {GATE}.loads is not there" for line in desk.phone.history)
    last = "cvm42sip.8-5-2ES1.sbn"
    as_folder({name: content for name, content in files.items() if name != last}, desk.folder)
    starts_again(desk, with_load(GATE))
    assert (desk.phone.load, desk.phone.history[-2]) == (OLD, "cannot get g3-tones.xml: 404")
    assert any(line == f"keeps {OLD}: {last} is not there" for line in desk.phone.history)
    renamed = files["dsp42.8-5-2ES1.sbn"]
    (desk.folder / last).write_bytes(renamed)
    starts_again(desk, with_load(GATE))
    assert any(f"AUTH FAIL {last}: it is dsp42" in line for line in desk.phone.history)
    (desk.folder / last).write_bytes(files[last])
    starts_again(desk, with_load(GATE))
    assert desk.phone.load == GATE


def test_a_phone_without_a_file_takes_the_load_for_all_phones(place_phone: PlacePhone) -> None:
    desk = place_phone(None, model="7942", load=OLD)
    as_folder(classic("8-5-2S", components="8-5-2ES1"), desk.folder)
    rows = (
        f'<loadInformation{number} model="Cisco {model}">{load}</loadInformation{number}>'
        for number, model, load in ((404, "7962", TARGET), (434, "7942", GATE))
    )
    (desk.folder / "XMLDefault.cnf.xml").write_text(f"<Default>{''.join(rows)}</Default>")
    desk.wait_until(lambda phone: phone.load == GATE and phone.is_up)
    assert not desk.phone.registered


def test_a_text_file_says_more_than_the_one_for_all(place_phone: PlacePhone, fetch_log: FetchLog) -> None:
    desk = place_phone(None, model="7960")
    (desk.folder / "SIPDefault.cnf").write_text('proxy1_address: 192.0.2.10\nphone_label: "all"\n')
    text = "# here\nline1_name: 1001 ; reception\nphone_label: mine\ndial_template: dialplan\n"
    (desk.folder / f"SIP{MAC}.cnf").write_text(text)
    desk.wait_until(lambda phone: phone.registered)
    file = desk.phone.device_file
    assert file is not None
    assert (file.line_users, file.call_managers, file.label) == (("1001",), ("192.0.2.10",), "mine")
    asked = [fetch.file_name for fetch in fetch_log.wait_for(lambda all_: names_in(all_)[-1:] == ["dialplan.xml"])]
    assert asked[-5:] == ["OS79XX.TXT", "SIPDefault.cnf", f"SIP{MAC}.cnf", "RINGLIST.DAT", "dialplan.xml"]


def test_old_firmware_asks_by_tftp_alone(place_phone: PlacePhone, fetch_log: FetchLog, file_server: Any) -> None:
    older_phone(place_phone, tftp_url=f"tftp://127.0.0.1:{file_server.tftp_port}")
    fetches = fetch_log.wait_for(lambda all_: names_in(all_)[-1:] == ["g3-tones.xml"])
    assert {fetch.protocol for fetch in fetches} == {"tftp"}


def test_where_nobody_answers_by_http_a_phone_asks_by_tftp(
    place_phone: PlacePhone, fetch_log: FetchLog, file_server: Any
) -> None:
    place_phone(device_file(), config_url="http://127.0.0.1:1", tftp_url=f"tftp://127.0.0.1:{file_server.tftp_port}")
    fetches = fetch_log.wait_for(lambda all_: any(fetch.complete for fetch in all_))
    assert [fetch.file_name for fetch in fetches][:4] == [*TRUST_LISTS, NAME]
    assert {fetch.protocol for fetch in fetches} == {"tftp"}
