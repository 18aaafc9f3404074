"""The device catalogue's verdict on a file and a phone."""

import pytest

from profiles_app.phone.sep.device_facts import facts, fit
from profiles_app.phone.sep.document import parse
from tests.profiles_app.phone.sep.files import sccp, sip

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
        sip(('button="1"', 'button="11"')), {"model": "8851", "software_type": None}, (True, True, None),
    ),
    "an SCCP file names no lines": (sccp(), {"model": "7962", "software_type": "SCCP"}, (True, True, True)),
}  # fmt: skip


@pytest.mark.parametrize(("content", "phone", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_each_topic_is_judged(content, phone, expected):
    verdicts = fit(facts(parse(content)), **phone)
    assert [verdict.topic for verdict in verdicts] == ["Protocol", "Firmware", "Lines"]
    assert tuple(verdict.fits for verdict in verdicts) == expected


def test_a_verdict_says_what_the_file_asks_and_what_the_phone_has():
    protocol, firmware, lines = fit(facts(parse(sip(LOADED))), model="8851", software_type="SCCP")
    assert (protocol.file, protocol.phone) == ("SIP", "SCCP")
    assert (firmware.file, firmware.phone) == ("SIP42.9-4-2", "8851")
    assert (lines.file, lines.phone) == ("one line", "10 line keys, more with add-on modules")
