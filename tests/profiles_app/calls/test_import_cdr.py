"""`manage.py import_cdr`: files as Asterisk and FreePBX write them, all or nothing, each call once."""

import json
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from profiles_app.calls.models import CallRecord

pytestmark = pytest.mark.django_db
FILES = Path(__file__).with_name("files")
# With loguniqueid and loguserfield: outbound; a ring group whose second phone answers; internal; withheld.
MASTER = (FILES / "Master.csv").read_text()
FREEPBX = (FILES / "freepbx.csv").read_text()


@pytest.fixture
def imports(tmp_path):
    def imports(text, *options):
        (path := tmp_path / "cdr.csv").write_text(text)
        out = StringIO()
        call_command("import_cdr", str(path), "--json", *options, stdout=out)
        return json.loads(out.getvalue())

    return imports


def shown(*names):
    return list(CallRecord.objects.order_by("started_at").values_list(*names))


def test_asterisks_master_csv(acme, imports):
    acme.time_zone = "Europe/Berlin"
    acme.save()
    told = imports(MASTER, "--account", "1000001")
    assert told == {"created": 4, "known": 1, "errors": 0, "dry_run": False}
    assert shown("direction", "caller", "called", "extension", "disposition", "seconds") == [
        ("outbound", "201", "+49201555123", "201", "answered", 60),
        ("inbound", "+49201555999", "200", "203", "answered", 12),
        ("internal", "201", "202", "201", "busy", 0),
        ("inbound", "anonymous", "202", "202", "congestion", 0),
    ]
    first = CallRecord.objects.get(call_id="1772357400.1")
    assert [f"{moment:%H:%M:%S}" for moment in (first.started_at, first.answered_at, first.ended_at)] == [
        "09:30:00", "09:30:05", "09:31:05",
    ]  # fmt: skip
    # Once more, as a log that is imported every night and was not rotated.
    assert imports(MASTER, "--account", "1000001")["created"] == 0
    assert CallRecord.objects.count() == 4


def test_a_report_of_freepbx_by_account_code(acme, other, imports):
    assert imports(FREEPBX, "--time-zone", "America/New_York")["created"] == 2
    assert shown("account__voip_id", "direction", "called", "extension", "started_at__hour", "call_id") == [
        (1000001, "inbound", "+49201777", "202", 15, "1772357400.10"),
        (1000002, "internal", "*97", "201", 15, "1772357400.12"),
    ]


def test_a_dry_run_stores_nothing(acme, imports):
    assert imports(MASTER, "--account", "1000001", "--dry-run")["created"] == 4
    assert not CallRecord.objects.exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (MASTER + '"a","b"\n', [(6, "", "2 cells")]),
        (
            MASTER.replace('65,60,"ANSWERED"', '65,sixty,"EATEN"').replace("2026-03-01 13:00:00", "yesterday"),
            [(1, "billsec", "whole number"), (1, "disposition", "ANSWERED, "), (5, "start", "such as")],
        ),
        (FREEPBX, [(3, "accountcode", "VoIP id")]),
        ("src,dst,clid\n1,2,3\n", [(1, "", "disposition, start")]),
        (MASTER + '"unclosed', [(6, "", "not CSV")]),
        (MASTER.replace("1772357400.1", "1\x001"), [(1, "uniqueid", "control character")]),
    ],
)
def test_with_a_wrong_line_nothing_is_stored(acme, tmp_path, text, said):
    (path := tmp_path / "cdr.csv").write_text(text)
    out, options = StringIO(), [] if text is FREEPBX else ["--account", "1000001"]
    with pytest.raises(CommandError, match="nothing was stored"):
        call_command("import_cdr", str(path), "--json", *options, stdout=out)
    told = [json.loads(line) for line in out.getvalue().splitlines()]
    assert [(one["row"], one["column"]) for one in told] == [(row, column) for row, column, _ in said]
    assert all(text in one["message"] for one, (*_, text) in zip(told, said, strict=True))
    assert not CallRecord.objects.exists()


def test_without_unique_ids_the_same_line_is_the_same_call(acme, imports):
    bare = "\n".join(line.rsplit(",", 2)[0] for line in MASTER.splitlines())
    assert imports(bare, "--account", "1000001")["created"] == 4
    assert imports(bare, "--account", "1000001") == {"created": 0, "known": 5, "errors": 0, "dry_run": False}


def test_a_file_that_cannot_be_read(acme):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_cdr", "/nonexistent.csv", "--account", "1000001")
