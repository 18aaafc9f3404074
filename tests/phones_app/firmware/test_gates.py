"""The way from one load to another (boot server spec §3)."""

from pathlib import Path

import pytest

from phones_app.firmware.sets import gates
from phones_app.firmware.sets.gates import way_between
from phones_app.firmware.sets.versions import numbers_of, tells_load, version_of_load


@pytest.mark.parametrize(
    ("load", "version", "numbers"),
    [
        ("SIP42.9-4-2SR3-1S", "9-4-2SR3-1S", (9, 4, 2, 3)),
        ("SCCP45.8-3-3S", "8-3-3S", (8, 3, 3, 0)),
        ("SIP41.8-0-4SR3AS", "8-0-4SR3AS", (8, 0, 4, 3)),
        ("SIP70.9-4-2ES26S", "9-4-2ES26S", (9, 4, 2, 0)),
        ("CP7921G-1.4.6.3", "1.4.6.3", (1, 4, 6, 0)),
        ("sip88xx.14-2-1-0101-14", "14-2-1-0101-14", (14, 2, 1, 0)),
        ("P0S3-8-12-00", "8-12-00", (8, 12, 0, 0)),
        ("P0030801SR02", "0801SR02", None),
        ("term42.default", "", None),
        ("nonsense", "", None),
    ],
)
def test_the_version_in_the_name_of_a_load(load, version, numbers):
    assert version_of_load(load) == version
    assert numbers_of(version) == numbers


def test_a_version_as_people_write_it():
    assert numbers_of("8.5(2)SR1") == numbers_of("8-5-2SR1S") == (8, 5, 2, 1)


@pytest.mark.parametrize(
    ("said", "load", "tells"),
    [
        ("Cisco-CP7962G/9.4.2", "SIP42.9-4-2SR3-1S", True),
        ("Cisco-CP7962G/9.4.1", "SIP42.9-4-2SR3-1S", False),
        ("Cisco-CP8851/14.2.1", "sip88xx.14-2-1-0101-14", True),
        ("SIP88XX.14-2-1-0101-14", "sip88xx.14-2-1-0101-14", True),
        ("sip88xx.14-2-1-0001-14", "sip88xx.14-2-1-0101-14", False),
        ("Yealink/9.4.2", "SIP42.9-4-2S", False),
        ("Cisco-CP7962G/x", "SIP42.special", False),
        ("", "SIP42.9-4-2S", False),
    ],
)
def test_what_a_phone_says_when_it_registers_against_a_load(said, load, tells):
    assert tells_load(said, load) is tells


GATE = "SIP42.8-5-2S"


@pytest.mark.parametrize(
    ("present", "target", "steps"),
    [
        ("SIP42.8-2-1S", "SIP42.9-4-2SR3-1S", [GATE, "SIP42.9-4-2SR3-1S"]),
        ("SCCP42.8-2-1S", "SIP42.9-4-2SR3-1S", [GATE, "SIP42.9-4-2SR3-1S"]),
        ("SIP42.8-4-1S", "SIP42.8-5-2SR1S", [GATE, "SIP42.8-5-2SR1S"]),
        ("SIP42.8-2-1S", GATE, [GATE]),
        ("SIP42.8-5-2S", "SIP42.9-4-2SR3-1S", ["SIP42.9-4-2SR3-1S"]),
        ("SIP42.9-3-1S", "SIP42.9-4-2SR3-1S", ["SIP42.9-4-2SR3-1S"]),
        ("SIP42.9-4-2SR3-1S", "SIP42.9-4-2SR3-1S", []),
    ],
)
def test_a_phone_below_a_gate_gets_the_load_of_the_gate_first(present, target, steps):
    way = way_between("7962", "", present, target)
    assert [step.load for step in way.steps] == steps
    assert (way.refused, way.doubts) == ("", ())
    assert all(step.reason and step.source for step in way.steps[:-1])


@pytest.mark.parametrize(
    ("model", "software", "present", "target", "said"),
    [
        ("7962", "", "SIP42.9-4-2S", "SIP42.8-2-1S", "8.3(3) before 9.x"),
        ("7962", "", "SIP42.9-4-2S", "SIP42.8-4-1S", "new signing key"),
        ("8841", "SIP", "sip88xx.12-5-1", "sip88xx.11-3-1MPP-398", "licence"),
        ("CP-8841", "MPP", "", "sip88xx.12-5-1", "licence"),
        ("8845", "", "sip8845_65.12-5-1", "sip88xx.14-2-1", "not for 8845"),
    ],
)
def test_no_way_leads_back_across_a_gate_or_to_other_firmware(model, software, present, target, said):
    way = way_between(model, software, present, target)
    assert way.steps == ()
    assert said in way.refused == str(way)


@pytest.mark.parametrize(
    ("model", "present", "target", "said"),
    [
        ("7962", "SIP42.special", "SIP42.9-4-2S", "the version of SIP42.special is unknown"),
        ("7960", "P0030801SR02", "P0S3-8-12-00", "certain pairs"),
        ("8841", "sip88xx.10-3-1", "sip88xx.14-2-1", "not known"),
        ("8945", "SCCP894x.9-3-1", "SCCP894x.9-4-2", "no gate is known"),
    ],
)
def test_what_is_unknown_of_a_way_is_told(model, present, target, said):
    way = way_between(model, "", present, target)
    assert [step.load for step in way.steps] == [target]
    assert said in " ".join(way.doubts)
    assert said in str(way)


@pytest.fixture
def own_gates(tmp_path, monkeypatch):
    """A function that has other rows read until the test is over."""
    monkeypatch.setattr(gates, "_files", [])

    def read(text: str) -> None:
        path = tmp_path / "gates.toml"
        path.write_text(text)
        gates.read_from(str(path))

    yield read
    gates._known.cache_clear()


def test_a_corrected_copy_of_the_rows_is_read_in_place_of_ours(own_gates):
    ours = Path(gates.__file__).with_name("gates.toml").read_text()
    own_gates(ours.replace('through = "{}8-5-2S"', 'through = "{}8-5-2ES9"'))
    assert way_between("7962", "", "SIP42.8-2-1S", "SIP42.9-4-2S").steps[0].load == "SIP42.8-5-2ES9"


@pytest.mark.parametrize("text", ["no toml", "", '[[gate]]\nname = "x"\n[[change]]\n[[doubt]]\n'])
def test_what_are_no_such_rows_is_refused_and_ours_stay(own_gates, text):
    with pytest.raises(ValueError, match=r"."):
        own_gates(text)
    assert way_between("7962", "", "SIP42.8-2-1S", "SIP42.9-4-2S").steps[0].load == GATE
