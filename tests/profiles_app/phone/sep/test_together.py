"""What the parts of a file say together: lines and their credentials, TLS, certificates, IP mode, modules and loads."""

import pytest

from profiles_app.phone.sep.checks import check
from tests.profiles_app.phone.sep.files import SERVER, SIP_LINE, sip
from tests.profiles_app.phone.sep.test_elements import SECOND_LINE, said, with_element

WITHOUT_AUTH_NAME = ("<authName>1001</authName>", "")


def loaded(load: str) -> bytes:
    return with_element(f"<loadInformation>{load}</loadInformation>")


def with_module(kind: str, load: str = "", keys: str = "") -> bytes:
    module = f"<addOnModule idx='1'><deviceType>{kind}</deviceType><deviceLine>{keys}</deviceLine>"
    return with_element(f"<addOnModules>{module}<loadInformation>{load}</loadInformation></addOnModule></addOnModules>")


@pytest.mark.parametrize("model", ["7821", "8865", ""])
def test_a_password_without_an_auth_name_is_told_where_it_registers_an_empty_user(model):
    assert len(said(sip(WITHOUT_AUTH_NAME), "auth-name", model=model)) == 1
    assert said(sip(), "auth-name", model=model) == []


def test_older_phones_take_the_name_of_the_line_instead():
    assert said(sip(WITHOUT_AUTH_NAME), "auth-name", model="7962") == []
    content = with_element("<loadInformation>SIP42.9-4-2</loadInformation>", WITHOUT_AUTH_NAME)
    assert said(content, "auth-name") == []


TWO = sip((SIP_LINE, SIP_LINE + SECOND_LINE))


def test_credentials_of_a_second_line_are_told_where_the_first_ones_are_used():
    assert len(said(TWO, "line-credentials", model="7945")) == 1
    assert said(TWO, "line-credentials", model="8851") == []
    assert said(TWO, "line-credentials") == []
    same = sip((SIP_LINE, SIP_LINE + SECOND_LINE.replace("<authName>1002", "<authName>1001")))
    assert said(same, "line-credentials", model="7945") == []


def test_the_first_line_is_that_of_the_lowest_button():
    backwards = sip((SIP_LINE, SECOND_LINE + SIP_LINE))

    (finding,) = [each for each in check(backwards, model="7945") if each.code == "line-credentials"]
    assert finding.line == 19  # the line of button 2, which stands first in the file


def test_two_lines_with_one_contact_are_told():
    assert len(said(sip((SIP_LINE, SIP_LINE + SECOND_LINE.replace("7a1b", "5f3c"))), "shared-contact")) == 1
    assert said(TWO, "shared-contact") == []
    without = sip((SIP_LINE, SIP_LINE + SECOND_LINE), ("5f3c2a91", ""), ("7a1b2a91", ""))
    assert said(without, "shared-contact") == []


TLS = ("<transportLayerProtocol>2<", "<transportLayerProtocol>3<")
PORT = ("<securedSipPort>5061</securedSipPort>", "")


def secured(mode: str, *others: tuple[str, str]) -> list[str]:
    return said(with_element(f"<deviceSecurityMode>{mode}</deviceSecurityMode>", *others), "tls")


def test_tls_needs_a_security_mode_and_a_port():
    assert secured("3", TLS) == secured("2", TLS) == secured("1") == []
    assert secured("1", TLS) == ["TLS (transportLayerProtocol 3) needs deviceSecurityMode 2 or 3"]
    assert said(sip(TLS), "tls") == secured("1", TLS)
    assert secured("3", TLS, PORT) == ["TLS (transportLayerProtocol 3) needs the securedSipPort of each call manager"]
    assert secured("3") == ["deviceSecurityMode 3 needs TLS (transportLayerProtocol 3)"]


def test_one_server_of_two_without_its_secured_port_is_told():
    second = SERVER.replace(*PORT)
    assert len(secured("3", TLS, (SERVER, SERVER + second))) == 1


@pytest.mark.parametrize(
    ("capf", "told"),
    [
        ("<capfAuthMode>1</capfAuthMode>", True),
        ("<capfAuthMode>2</capfAuthMode><capfList><capf><processNodeName/></capf></capfList>", True),
        (
            "<capfAuthMode>1</capfAuthMode><capfList><capf><processNodeName>ca</processNodeName></capf></capfList>",
            False,
        ),
        ("<capfAuthMode>0</capfAuthMode>", False),
        ("<capfAuthMode></capfAuthMode>", False),
    ],
)
def test_certificates_are_enrolled_at_a_server_that_is_named(capf, told):
    assert bool(said(with_element(capf), "capf")) is told


@pytest.mark.parametrize(
    ("mode", "address", "told"),
    [
        ("0", "2001:db8::1", True),
        ("0", "[2001:db8::1]", True),
        ("1", "192.0.2.1", True),
        ("1", "2001:db8::1", False),
        ("0", "192.0.2.1", False),
        ("2", "2001:db8::1", False),
        ("0", "pbx.example", False),
    ],
)
def test_a_server_whose_kind_of_address_is_switched_off_is_told(mode, address, told):
    content = with_element(f"<ipAddressMode>{mode}</ipAddressMode>", (">192.0.2.1<", f">{address}<"))

    assert bool(said(content, "ip-mode")) is told


@pytest.mark.parametrize(
    ("load", "model", "told"),
    [
        ("term45.default", "7975", True),
        ("term65.default", "7945", False),
        ("term70.default", "7971", False),
        ("term11.default", "7962", True),
        ("sipdx650.10-2-5-212", "8845", True),
        ("SIP70.9-4-2SR3-1S", "7975", True),
        ("sip88xx.12-8-1", "8851NR", False),
        ("SIP9999.1", "7962", False),
    ],
)
def test_a_load_of_another_family_is_told(load, model, told):
    assert bool(said(loaded(load), "load-model", model=model)) is told


def test_a_load_of_a_device_that_reads_no_sep_file_is_told_without_a_model():
    assert said(loaded("ATA030100SCCP"), "load-model") == [
        "the load ATA030100SCCP is of the ATA186, which reads ATA<MAC>, a binary format"
    ]


@pytest.mark.parametrize("load", ["sip78xx.11-3-1MPP-398", "sip8845_65.11-2-3MSR1-1", "sip68xx.11-3-1MSR2-6"])
def test_an_mpp_load_is_refused(load):
    (message,) = said(loaded(load), "load-protocol")

    assert "MPP firmware" in message


def test_a_load_is_named_without_the_ending_of_its_file():
    assert said(loaded("SIP42.9-4-2SR3-1S.loads"), "load-name") == [
        "loadInformation takes the name of the load without its ending .loads"
    ]
    assert said(loaded("SIP42.9-4-2SR3-1S"), "load-name") == []


def test_a_load_alone_is_nothing_to_remark():
    assert check(loaded("SIP42.9-4-2SR3-1S"), model="7962") == []


@pytest.mark.parametrize(
    ("kind", "load", "keys", "model", "codes"),
    [
        ("7915", "", "24", "7965", ["module-load"]),
        ("229", "", "24", "7975", ["module-load"]),
        ("7916", "B015-1-0-4", "24", "7975", ["module-load"]),
        ("7916", "B016-1-0-4", "24", "7975", []),
        ("7914", "S00105000400", "", "7960", []),
        ("7915", "{$load}", "24", "7965", ["placeholder"]),
        ("BEKEM", "", "36", "8851", []),
        ("BEKEM", "", "48", "8851", ["module-model"]),
        ("CKEM", "", "36", "8851", ["module-model"]),
        ("CKEM", "", "36", "9971", []),
        ("7917", "", "", "7965", ["module-model"]),
        ("BEKEM", "", "", "", []),
    ],
)
def test_modules_need_their_firmware_and_a_phone_that_takes_them(kind, load, keys, model, codes):
    content = with_module(kind, load, keys)
    phone = {"7960": "SCCP"}.get(model)
    found = [finding.code for finding in check(content, model=model) if finding.code.startswith(("module", "place"))]

    assert found == codes, phone


def test_modules_of_an_88xx_are_all_of_one_type():
    two = "".join(f"<addOnModule><deviceType>{kind}</deviceType></addOnModule>" for kind in ("BEKEM", "CP-8800-Video"))

    content = with_element(f"<addOnModules>{two}</addOnModules>")
    assert len(said(content, "module-model", model="8865")) == 1
