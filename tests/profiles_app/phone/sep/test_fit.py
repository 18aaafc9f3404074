"""The device catalogue's verdict on a file and a phone."""

import pytest

from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.checks import check
from profiles_app.phone.sep.compatibility import MISFITS, fit, misfit
from profiles_app.phone.sep.device_facts import facts
from profiles_app.phone.sep.document import parse
from profiles_app.phone.sep.elements import Severity
from tests.profiles_app.phone.sep.files import CONVERSION, sccp, sip

LOADED = ("<versionStamp>", "<loadInformation>SIP42.9-4-2</loadInformation><versionStamp>")

VERDICTS = {
    "a file that fits": (sip(), {"model": "7962", "software_type": "SIP"}, (True, True, True)),
    "SIPE is SIP": (sip(), {"model": "7962", "software_type": "SIPE"}, (True, True, True)),
    "the other protocol": (sip(), {"model": "7962", "software_type": "SCCP"}, (False, True, True)),
    "a protocol that the model never had": (sip(), {"model": "7921", "software_type": None}, (False, True, True)),
    "an unknown phone": (sip(LOADED), {"model": "", "software_type": None}, (None, None, None)),
    "firmware of this model": (sip(LOADED), {"model": "CP-7942G", "software_type": None}, (True, True, True)),
    "firmware of another model": (sip(LOADED), {"model": "8845", "software_type": None}, (True, False, True)),
    "more lines than keys": (
        sip(('button="1"', 'button="5"')), {"model": "7841", "software_type": None}, (True, True, False),
    ),
    "more lines than keys, which modules may hold": (
        sip(
            ('button="1"', 'button="11"'),
            ("<versionStamp>", "<addOnModules><addOnModule/></addOnModules><versionStamp>"),
        ),
        {"model": "8851", "software_type": None}, (True, True, None),
    ),
    "an SCCP file for a phone with SIP only": (
        sccp(), {"model": "9971", "software_type": None}, (False, True, True),
    ),
    "a phone that reads flat-profile": (sip(), {"model": "6841", "software_type": "SIP"}, (False, True, None)),
    "a small-business phone": (sip(), {"model": "SPA504G", "software_type": None}, (False, True, None)),
    "an MPP load": (
        sip(("<versionStamp>", "<loadInformation>sip88xx.11-3-1MPP-398</loadInformation><versionStamp>")),
        {"model": "8851", "software_type": None}, (True, False, True),
    ),
    "an SCCP file names no lines": (sccp(), {"model": "7962", "software_type": "SCCP"}, (True, True, True)),
}  # fmt: skip


@pytest.mark.parametrize(("content", "phone", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_each_topic_is_judged(content, phone, expected):
    verdicts = fit(parse(content), **phone)
    assert [verdict.topic for verdict in verdicts] == ["Protocol", "Firmware", "Lines"]
    assert tuple(verdict.fits for verdict in verdicts) == expected


def test_a_verdict_says_what_the_file_asks_and_what_the_phone_has():
    protocol, firmware, lines = fit(parse(sip(LOADED)), model="8851", software_type="SCCP")
    assert (protocol.file, protocol.phone) == ("SIP", "SCCP")
    assert (firmware.file, firmware.phone) == ("SIP42.9-4-2", "8851")
    assert (lines.file, lines.phone) == ("one line", "10 line keys, more with add-on modules")


def test_a_verdict_names_what_the_phone_reads_instead():
    (protocol, *_) = fit(parse(sip()), model="ATA192", software_type="SIP")
    assert protocol.phone == "the flat-profile format of MPP phones only"


def test_modules_have_a_verdict_where_the_file_has_some():
    module = "<addOnModules><addOnModule><deviceType>BEKEM</deviceType></addOnModule></addOnModules><versionStamp>"
    content = sip(("<versionStamp>", module))
    for model, fits in (("8851", True), ("9971", False), ("", None)):
        (*_, modules) = fit(parse(content), model=model, software_type=None)
        assert (modules.topic, modules.file, modules.fits) == ("Add-on modules", "BEKEM", fits)


MODELS = [*(device.model for device in catalogue.all_models()), "CKEM", ""]


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("software", [None, "SIP", "SIPE", "SCCP"])
def test_verdict_checker_and_refusal_agree_on_every_model(model, software):
    for content in (sip(), sccp(), CONVERSION, sip(LOADED)):
        phone = {"model": model, "software_type": software}
        document = parse(content)
        read = facts(document)
        found = {finding.code: finding.severity for finding in check(content, **phone)}
        protocol, firmware, lines = fit(document, **phone)
        why = misfit(read.protocol, read.bootstrap, **phone)

        assert (protocol.fits is False) == (why is not None) == bool(found.keys() & set(MISFITS))
        assert why is None or found[why.code] is Severity.ERROR
        assert (firmware.fits is False) == bool(found.keys() & {"load-model", "load-protocol"})
        assert (lines.fits is False) == ("line-keys" in found)
