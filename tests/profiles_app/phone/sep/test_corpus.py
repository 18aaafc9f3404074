"""Real files from the field get the right verdict (Cisco phones spec §4.7, §4.8).

The collection belongs to others and is no part of the project; without it these tests are skipped.
"""

import csv
from pathlib import Path

import pytest

from profiles_app.phone.sep.checks import check
from profiles_app.phone.sep.comparison import redact
from profiles_app.phone.sep.device_facts import facts
from profiles_app.phone.sep.document import decode, encode, parse
from profiles_app.phone.sep.limits import Severity
from tests.profiles_app.phone.sep.files import attempt

SAMPLES = Path(__file__).parents[5] / "shared" / "samples"
INDEX = SAMPLES / "index.csv"

pytestmark = pytest.mark.skipif(not INDEX.exists(), reason="the sample collection is not there")

# The numbers of the files that are templates without a server address.
BLANK_TEMPLATES = {23, 30, 31, 39, 50, 65}


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
    elif number in BLANK_TEMPLATES:
        assert "no-server" in errors(content)
    else:
        assert errors(content) == set()


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
    assert redact(masked) == masked
    if row["wellformed_expat_nons"] == "yes" and row["root"] == "device":
        before, after = parse(content), parse(masked)
        assert [element.tag for element in before.root.iter()] == [element.tag for element in after.root.iter()]
