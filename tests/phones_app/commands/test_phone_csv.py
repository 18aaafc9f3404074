"""export_phones and import_phones: the inventory as CSV and back, checked as a whole and stored as a whole."""

import csv
import io

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.core.actor import system
from contacts_app.core.csv import importing
from contacts_app.core.csv.importing import import_csv
from phones_app.inventory.csv import PhoneCsv
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from profiles_app.phone.services import create_profile
from tests.commands import run
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db
MAC = "02AA00000001"
# What a spreadsheet would carry out, what looks masked already, and what CSV itself is made of.
AWKWARD = [
    "=1+1",
    "'=1+1",
    "''",
    "'plain",
    "@x",
    "-",
    "+1",
    "\ttab",
    'a,b;c\t"d"',
    "two\nlines\r\nthree",
    " edges ",
    "＝1",
]


@pytest.fixture
def phone(acme):
    server = FileServer.objects.create(name="Main", account=acme, host="127.0.0.1")
    return Phone.objects.create(
        mac=MAC,
        account=acme,
        name="Reception",
        model="8845",
        software_type="SIP",
        phone_ip="127.0.0.1",
        web_password="push secret",
        file_server=server,
    )


@pytest.fixture
def file(tmp_path):
    """Writes a CSV file, of text or as bytes."""

    def write(content: str | bytes):
        path = tmp_path / "phones.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def errors_of(ran) -> list[tuple[int, str]]:
    return [(row["row"], row["column"]) for row in ran.rows]


def counts(ran) -> tuple[int, int, int]:
    assert ran.status == 0, ran.out + ran.err
    return ran.row["created"], ran.row["updated"], ran.row["unchanged"]


def snapshot():
    return list(Phone.objects.order_by("pk").values())


def test_export_and_import_without_edit_changes_nothing(phone, acme, other, tmp_path):
    for number, text in enumerate(AWKWARD):
        Phone.objects.create(
            mac=f"0200000000{number:02X}",
            account=other if number % 2 else acme,
            name=text,
            description=text,
            location=text,
            brand=text,
            is_active=bool(number % 2),
        )
    before = snapshot()
    file = tmp_path / "phones.csv"
    assert run("export_phones", file, "--json").row["rows"] == len(AWKWARD) + 1
    assert counts(run("import_phones", file, "--json")) == (0, 0, len(AWKWARD) + 1)
    assert snapshot() == before


def test_export_into_an_empty_portal_brings_the_same_rows_back(phone, acme, tmp_path):
    for number, text in enumerate(AWKWARD):
        Phone.objects.create(mac=f"0200000000{number:02X}", account=acme, description=text.strip(), name="x")
    file = tmp_path / "phones.csv"
    run("export_phones", file)
    Phone.objects.all().delete()
    assert counts(run("import_phones", file, "--json")) == (len(AWKWARD) + 1, 0, 0)
    again = run("export_phones").out
    assert again == file.read_bytes().decode()
    assert Phone.objects.get(mac="020000000000").description == AWKWARD[0]


def test_no_cell_of_an_export_is_a_formula_and_none_a_password(acme, phone):
    Phone.objects.create(mac="020000000009", account=acme, name='=cmd|" /C calc"!A0', location="\t=1", hostname="-2")
    out = run("export_phones").out
    assert "push secret" not in out
    assert "web_password" not in out
    for row in list(csv.reader(io.StringIO(out, newline="")))[1:]:
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]


def test_phones_are_added_and_changed_by_mac_in_any_spelling(phone, acme, file):
    path = file("mac;Name;sip_port\n02aa.0000.0001;Lobby;\nSEP020000000002;Bar;5070\n")
    assert counts(run("import_phones", path, "--json")) == (1, 1, 0)
    phone.refresh_from_db()
    assert (phone.name, phone.model, phone.sip_port, phone.web_password) == ("Lobby", "8845", 5060, "push secret")
    new = Phone.objects.get(mac="020000000002")
    assert (new.name, new.sip_port, new.account, new.is_active, new.brand) == ("Bar", 5070, acme, True, "Cisco")


def test_a_cell_can_be_emptied_and_a_missing_column_keeps_what_is_there(phone, file):
    run("import_phones", file("mac,phone_ip,software_type,file_server\n02AA00000001,,,\n"))
    phone.refresh_from_db()
    assert (phone.phone_ip, phone.software_type, phone.file_server) == (None, None, None)
    assert phone.name == "Reception"


def test_a_password_goes_in_and_an_empty_one_keeps_the_stored_one(phone, file):
    assert counts(run("import_phones", file(f"mac,web_password\n{MAC},\n"), "--json")) == (0, 0, 1)
    assert counts(run("import_phones", file(f"mac,web_password\n{MAC},other one\n"), "--json")) == (0, 1, 0)
    phone.refresh_from_db()
    assert phone.web_password == "other one"


def test_all_errors_are_told_at_once_with_row_and_column_and_nothing_is_stored(phone, acme, file, tmp_path):
    before = snapshot()
    path = file(
        "mac,name,model,modle,software_type,phone_ip,sip_port,is_active,file_server,account\n"
        "020000000001,Good,8845,,SIP,10.0.0.1,5060,yes,Main,1000001\n"
        "nonsense,Bad,8845,,ISDN,10.0.0.999,70000,maybe,Nowhere,1000001\n"
        "\n"
        f"02:00:00:00:00:01,Twice,{'x' * 65},,,,,,,\n"
        f"{MAC},Moved,,,,,,,,99\n"
        "020000000003,Short\n"
        "020000000004,\x07Bell,,,,,,,,\n"
    )
    ran = run("import_phones", path, "--json", "--errors", tmp_path / "errors.csv")
    assert ran.status == 1
    assert "nothing was stored" in ran.err
    assert errors_of(ran) == [
        (1, "modle"),
        (3, "mac"),
        (3, "software_type"),
        (3, "is_active"),
        (3, "phone_ip"),
        (3, "sip_port"),
        (3, "file_server"),
        (5, "mac"),
        (5, "model"),
        (6, "account"),
        (7, ""),
        (8, "name"),
    ]
    assert "“model”" in ran.rows[0]["message"]
    assert "Row 2" in ran.rows[7]["message"]
    told = list(csv.DictReader((tmp_path / "errors.csv").open(encoding="utf-8-sig", newline="")))
    assert [(int(row["row"]), row["column"]) for row in told] == errors_of(ran)
    assert snapshot() == before


def test_a_phone_of_another_tenant_is_refused_and_not_revealed(phone, other, file):
    path = file(f"mac,name\n{MAC},Mine now\n")
    ran = run("import_phones", path, "--account", other.voip_id, "--json")
    assert (ran.status, errors_of(ran)) == (1, [(2, "mac")])
    assert "Acme" not in ran.out
    assert "Reception" not in run("export_phones", "--account", other.voip_id).out
    foreign = file("mac,account,file_server\n020000000002,1000001,Main\n")
    assert errors_of(run("import_phones", foreign, "--account", other.voip_id, "--json")) == [(2, "account")]


def test_servers_are_named_or_given_by_uuid_where_several_have_the_name(phone, acme, other, file):
    FileServer.objects.create(name="Main", account=other, host="127.0.0.1")
    shared = FileServer.objects.create(name="Main", account=None, host="127.0.0.1")
    pbx = CallManager.objects.create(name="PBX", account=None, host="127.0.0.1", port=5038)
    assert str(phone.file_server.uuid) in run("export_phones").out
    ran = run("import_phones", file(f"mac,file_server\n{MAC},main\n{MAC[:-1]}2,Main\n"), "--json", "--account", 1000001)
    assert errors_of(ran) == [(2, "file_server"), (3, "file_server")]
    run("import_phones", file(f"mac,file_server,call_manager\n{MAC},{str(shared.uuid).upper()},PBX\n"))
    phone.refresh_from_db()
    assert (phone.file_server, phone.call_manager) == (shared, pbx)


@pytest.mark.parametrize("column", ["profile", "base_profile"])
def test_profiles_go_out_by_name_and_owner_and_come_in_by_what_names_one(phone, alice, charlie, root, file, column):
    field = "current_profile" if column == "profile" else column
    mine, shared, foreign = (
        create_profile(actor=ACTOR, user=user, name=name, content=sip_file().encode())
        for user, name in ((alice, "Lobby"), (root, "Logged out"), (charlie, "Lobby"))
    )
    for cell, found in (
        ("Lobby", mine),
        ("Lobby (Alice@acme.example)", mine),
        (str(shared.uuid).upper(), shared),
        ("Logged out", shared),
        ("", None),
    ):
        assert counts(run("import_phones", file(f"mac,{column}\n{MAC},{cell}\n"), "--json"))[0] == 0
        phone.refresh_from_db()
        assert getattr(phone, field) == found
        exported = next(csv.DictReader(io.StringIO(run("export_phones").out)))
        assert exported[column] == (f"{found.name} ({found.user.email})" if found else "")
    create_profile(actor=ACTOR, user=root, name="Lobby", content=sip_file().encode())
    for cell, words in (
        ("Lobby", "Several are called so"),
        (foreign.uuid, "No such phone profile"),
        ("Lobby (charlie@other.example)", "No such phone profile"),
        ("x", "No such"),
    ):
        ran = run("import_phones", file(f"mac,{column}\n{MAC},{cell}\n"), "--json")
        assert errors_of(ran) == [(2, column)]
        assert words in ran.out


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"mac;name\r\n{MAC};Café\r\n".encode(), id="semicolons"),
        pytest.param(f"mac\tname\n{MAC}\tCafé".encode(), id="tabs-no-final-line-end"),
        pytest.param(f'\ufeff"MAC","Name"\n"{MAC}","Café"\n\n,\n'.encode(), id="byte-order-mark-and-quotes"),
    ],
)
def test_files_are_read_as_spreadsheets_write_them(phone, file, content):
    assert counts(run("import_phones", file(content), "--json")) == (0, 1, 0)
    phone.refresh_from_db()
    assert phone.name == "Café"


@pytest.mark.parametrize(
    ("content", "row"),
    [
        pytest.param(b"", 1, id="empty"),
        pytest.param(b"name,model\nx,y\n", 1, id="no-key"),
        pytest.param(b"mac,name,name\n020000000002,a,b\n", 1, id="a-column-twice"),
        pytest.param("mac,name\n020000000002,ok\n020000000003,Café\n".encode("latin-1"), 3, id="not-utf-8"),
        pytest.param(b'mac,name\n020000000002,"open\nand so on', 2, id="quote-never-closed"),
        pytest.param(b"mac,name\n020000000002,\x00\n", 2, id="nul"),
        pytest.param(b"\x00\xff\xfe" * 50, 1, id="no-text-at-all"),
        pytest.param(b"PK\x03\x04" + b"\n\x00,\xff" * 9, 1, id="a-workbook"),
    ],
)
def test_what_is_no_table_is_refused_with_the_row(phone, file, content, row):
    before = snapshot()
    ran = run("import_phones", file(content), "--json")
    assert ran.status == 1
    assert ran.rows[0]["row"] == row, ran.out
    assert snapshot() == before


def test_dry_run_counts_and_stores_nothing(phone, file):
    before = snapshot()
    ran = run("import_phones", file(f"mac,name\n{MAC},Bar\n020000000002,New\n"), "--dry-run", "--json")
    assert counts(ran) == (1, 1, 0)
    assert snapshot() == before


@pytest.fixture
def three_batches(file, monkeypatch):
    """A file of three batches, which are smaller than usual; it is longer than what is read at once."""
    monkeypatch.setattr(importing, "BATCH", 50)
    words = "In the corner of the hall behind which nobody comes by without a reason"
    return file("mac,name,location\n" + "\n".join(f"0200000{number:05X},{words},{words}" for number in range(120)))


def test_failure_in_the_last_batch_takes_the_first_ones_back(phone, three_batches):
    """As when the process is killed: what was written before is not there."""
    path = three_batches
    assert counts(run("import_phones", path, "--dry-run", "--json")) == (120, 0, 0)
    with connection.execute_wrapper(_fail_at_third_insert()):
        ran = run("import_phones", path)
    assert ran.status == 1
    assert Phone.objects.count() == 1


def test_progress_is_told_while_a_long_file_is_checked_and_while_it_is_stored(phone, three_batches):
    told = []
    with three_batches.open("rb") as opened:
        import_csv(opened, PhoneCsv(system("test")), progress=lambda *said: told.append(said))
    assert [doing for doing, _ in told] == ["Checking"] * 3 + ["Storing"] * 3
    for parts in ([part for _, part in told[:3]], [part for _, part in told[3:]]):
        assert parts == sorted(parts)
        assert 0 < parts[0] < parts[-1] == 1


def _fail_at_third_insert():
    from django.db import OperationalError

    inserts = []

    def wrapper(execute, sql, params, many, context):
        # PostgreSQL gets many rows by COPY, after their keys were asked for.
        if sql.startswith('INSERT INTO "phones_app_phone"') or ("nextval" in sql and '"phones_app_phone"' in sql):
            inserts.append(sql)
            if len(inserts) == 3:
                raise OperationalError("the server has gone away")
        return execute(sql, params, many, context)

    return wrapper


def test_queries_depend_on_batches_and_not_on_rows(phone, file):
    def asked(rows: int, start: int) -> int:
        path = file(
            "mac,file_server,account,name\n"
            + "\n".join(f"0200000{start + number:05X},Main,1000001,{number}" for number in range(rows))
        )
        with CaptureQueriesContext(connection) as queries:
            assert run("import_phones", path).status == 0
        return len(queries)

    # SQLite takes some thirty rows in one statement, and each has a historical row.
    assert asked(400, 0) - asked(10, 1000) < 400 / 10


@pytest.mark.parametrize("arguments", [("import_phones",), ("import_phones", "x.csv", "--account", "zero")])
def test_wrong_usage_is_2(db, arguments):
    assert run(*arguments).status == 2


def test_a_file_that_is_not_there_is_a_sentence(db, tmp_path):
    ran = run("import_phones", tmp_path / "none.csv")
    assert ran.status == 1
    assert "cannot be read" in ran.err
    assert run("export_phones", tmp_path / "no" / "folder.csv").status == 1
