"""Real files from the field get the right verdict (Cisco phones spec §4.7, §4.8).

The collection belongs to others and is no part of the project; without it these tests are skipped.
"""

import csv
import re
from pathlib import Path

import pytest

from profiles_app.phone.sep.checks import check
from profiles_app.phone.sep.comparison import redact
from profiles_app.phone.sep.device_facts import facts
from profiles_app.phone.sep.document import decode, encode, parse
from profiles_app.phone.sep.elements import Severity
from tests.profiles_app.phone.sep.files import attempt

SAMPLES = Path(__file__).parents[5] / "shared" / "samples"
INDEX = SAMPLES / "index.csv"

pytestmark = pytest.mark.skipif(not INDEX.exists(), reason="the sample collection is not there")

# The numbers of the files that are templates without a server address, and of those with a server that nobody filled in.
BLANK_TEMPLATES = {23, 30, 31, 39, 50, 65}
UNFILLED_TEMPLATES = {
    *(4, 5, 7, 10, 12, 13, 16, 17, 18, 19, 24, 25, 26, 27, 28, 29, 33, 36, 37, 38, 40, 44, 45, 47, 48, 49, 52),
    *(53, 54, 55, 56, 62, 63, 64, 66, 67),
}
# What phones ignore or take for something else: looked at one by one. In no other file is any of these found.
FAULTS = {
    1: {"time-zone"}, 2: {"time-zone"}, 3: {"time-zone"}, 12: {"time-zone"}, 45: {"time-zone"},
    20: {"capf", "repeated"}, 22: {"capf", "repeated"},
    38: {"repeated"}, 40: {"repeated"}, 48: {"repeated"}, 50: {"repeated"},
    34: {"spelling"}, 41: {"shared-contact"}, 43: {"shared-contact"}, 47: {"address"}, 62: {"module-model"},
}  # fmt: skip
KINDS = {
    *("spelling", "repeated", "value", "port", "address", "time-zone", "tls", "capf", "ip-mode", "shared-contact"),
    *("auth-name", "line-credentials", "load-name", "load-protocol", "module-load", "module-model"),
}


# What looks like a secret by its name, with its text.
SECRETS = re.compile(
    rb"<([\w.-]*(?:passw|passphrase|secret|psk|community|credential|private.?key)[\w.-]*)(?: [^>]*)?>([^<]+)</",
    re.IGNORECASE,
)


def rows() -> list[dict[str, str]]:
    if not INDEX.exists():
        return []
    with INDEX.open(encoding="utf-8", newline="") as index:
        return list(csv.DictReader(index))


def files_in(folder: str) -> list[object]:
    return [pytest.param(row, id=row["file"]) for row in rows() if row["file"].startswith(folder)]


def errors(content: bytes) -> set[str]:
    return {finding.code for finding in check(content) if finding.severity is Severity.ERROR}


@pytest.mark.parametrize("row", files_in("sep/"))
def test_a_device_file_is_judged_as_phones_judge_it(row):
    content = (SAMPLES / row["file"]).read_bytes()
    number = int(Path(row["file"]).name.partition("-")[0])

    if row["wellformed_expat_nons"] == "no":
        assert errors(content) == {"not-well-formed"}
    elif number in BLANK_TEMPLATES | UNFILLED_TEMPLATES:
        assert "no-server" in errors(content)
    else:
        assert errors(content) == set()


@pytest.mark.parametrize("row", files_in("sep/"))
def test_the_faults_of_a_device_file_are_told_and_no_others(row):
    number = int(Path(row["file"]).name.partition("-")[0])
    found = {finding.code for finding in check((SAMPLES / row["file"]).read_bytes())}

    assert found & KINDS == FAULTS.get(number, set())
    assert ("placeholder" in found) or number not in UNFILLED_TEMPLATES - {47}


@pytest.mark.parametrize("row", files_in("sep/"))
def test_the_facts_of_a_device_file_are_those_of_the_index(row):
    content = (SAMPLES / row["file"]).read_bytes()
    document, code = attempt(parse, content)
    if code:
        assert row["wellformed_expat_nons"] == "no"
        return
    read = facts(document)

    assert read.load in [*row["load"].split(";"), ""]
    if row["protocol"] in ("SIP", "SCCP"):
        assert read.protocol == row["protocol"]


@pytest.mark.parametrize("row", files_in("refused/"))
def test_a_file_of_another_format_is_refused_by_its_root(row):
    code = {"flat-profile": "flat-profile", "Default": "xml-default", "default": "xml-default"}[row["root"]]

    assert errors((SAMPLES / row["file"]).read_bytes()) == {code}


@pytest.mark.parametrize("row", files_in(""))
def test_every_file_survives_the_way_through_text_and_keeps_its_shape_when_masked(row):
    content = (SAMPLES / row["file"]).read_bytes()
    masked = redact(content)

    assert encode(decode(content)) == content
    assert b"sample-secret" not in masked
    assert {text for _, text in SECRETS.findall(masked) if text.strip()} <= {b"********"}
    assert redact(masked) == masked
    if row["wellformed_expat_nons"] == "yes" and row["root"] == "device":
        before, after = parse(content), parse(masked)
        assert [element.tag for element in before.root.iter()] == [element.tag for element in after.root.iter()]
