"""import_lines and export_lines: CSV both ways, the files of PBXs, and which line is on which phone."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.accounts.models import Account
from phones_app.configuration.models import LayerLine
from phones_app.inventory.models import Phone
from profiles_app.phone.models import Line
from tests.commands import run

pytestmark = pytest.mark.django_db
FIRST, SECOND = "00:00:5E:00:53:01", "00:00:5E:00:53:02"
OWN = f"""\
extension,name,auth_password,display_name,max_calls,busy_trigger,phone,position
301,peer1,s;1,Front desk,4,2,{FIRST},1
302,,s2,Back office,,,{FIRST},2
303,,s3,Both,,,"{FIRST}, {SECOND}",
"""


@pytest.fixture
def phones(acme):
    made = [Phone(mac=mac.replace(":", ""), account=acme, model="8845") for mac in (FIRST, SECOND)]
    return Phone.objects.bulk_create(made)


@pytest.fixture
def file(tmp_path):
    def write(content: str | bytes):
        path = tmp_path / "lines"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def lines_of(mac: str) -> list[tuple[int, str]]:
    uses = LayerLine.objects.filter(layer__phone__mac=mac.replace(":", "")).order_by("position")
    return [(use.position, use.line.extension) for use in uses.select_related("line")]


def counts(ran) -> tuple[int, int, int]:
    assert ran.status == 0, ran.out + ran.err
    return ran.row["created"], ran.row["updated"], ran.row["unchanged"]


def errors_of(ran) -> list[tuple[int, str, str]]:
    assert ran.status == 1, ran.out
    return [(row["row"], row["column"], row["message"]) for row in ran.rows]


def test_a_csv_gives_phones_their_lines_and_comes_back_unchanged(acme, phones, file, tmp_path):
    assert counts(run("import_lines", file(OWN), "--json", "--dry-run")) == (3, 0, 0)
    assert not Line.objects.exists()
    assert counts(run("import_lines", file(OWN), "--json")) == (3, 0, 0)
    assert (lines_of(FIRST), lines_of(SECOND)) == ([(1, "301"), (2, "302"), (3, "303")], [(1, "303")])
    assert Line.objects.get(extension="301").auth_password == "s;1"
    exported = tmp_path / "out.csv"
    assert run("export_lines", exported).status == 0
    assert "s;1" not in exported.read_text()
    assert counts(run("import_lines", exported, "--json")) == (0, 0, 3)
    with_secrets = run("export_lines", "--with-secrets")
    assert "s;1" in with_secrets.out
    Line.objects.all().delete()
    text = "\n".join(row.partition(",")[2] for row in with_secrets.out.splitlines())
    assert counts(run("import_lines", file(text), "--json")) == (3, 0, 0)
    assert Line.objects.get(extension="303").auth_password == "s3"
    assert lines_of(FIRST) == [(1, "301"), (2, "302"), (3, "303")]


def test_lines_change_places_and_a_taken_place_is_told(acme, phones, file):
    run("import_lines", file(OWN))
    swap = f"extension,phone,position\n301,{FIRST},2\n302,{FIRST},1\n"
    assert counts(run("import_lines", file(swap), "--json")) == (0, 2, 0)
    assert lines_of(FIRST) == [(1, "302"), (2, "301"), (3, "303")]
    taken = run("import_lines", file(f"extension,phone,position\n304,{FIRST},3\n"), "--json")
    assert errors_of(taken) == [(2, "position", f"Line 3 of {FIRST} is 303.")]
    assert not Line.objects.filter(extension="304").exists()


def test_the_use_of_a_line_on_several_phones_is_told(acme, phones, file):
    ran = run("import_lines", file(OWN))
    assert "303 is on several phones" in ran.out
    assert "301 is on several phones" not in ran.out


@pytest.mark.parametrize(
    ("rows", "wrong"),
    [
        ("301,,,,5,2,1", (2, "", "This row has 7 cells, the header has 6.")),
        ("3 01,,,,,", (2, "extension", "An extension has letters, digits and * # + _ . - only.")),
        ("301,a]b,,,,", (2, "name", "A peer has letters, digits and _ . + * # @ - only.")),
        ("301,,2,3,,", (2, "busy_trigger", "Busy cannot begin above the most calls.")),
        ("301,,x,,,", (2, "max_calls", "“x” value must be an integer.")),
        ("301,,,,00:00:5E:00:53:99,", (2, "phone", "There is no phone 00:00:5E:00:53:99.")),
        (f"301,,,,{FIRST},0", (2, "position", "Must be a number from 1 to 200.")),
        (f'301,,,,{FIRST},"1,2"', (2, "position", "There are 2 positions for 1 phones.")),
        ("301,,,,,\n301,,,,,", (3, "extension", "Row 2 is about the same line.")),
        (",,,,,\n,x,,,,", (3, "extension", "This must be given.")),
    ],
)
def test_mistakes_are_told_by_row_and_column(acme, phones, file, rows, wrong):
    ran = run("import_lines", file(f"extension,name,max_calls,busy_trigger,phone,position\n{rows}\n"), "--json")
    row, column, message = wrong
    assert [(error[0], error[1]) for error in errors_of(ran)] == [(row, column)]
    assert message.split("“")[0] in errors_of(ran)[0][2]
    assert not Line.objects.exists()


def test_a_phone_of_another_account_gets_no_line(acme, other, phones, file):
    Phone.objects.create(mac="00005E0053AA", account=other)
    text = f"account,extension,phone\n{acme.voip_id},301,00:00:5E:00:53:AA\n"
    [error] = errors_of(run("import_lines", file(text), "--json"))
    assert error[:2] == (2, "phone")
    # As that account, the phone of this one is not there at all.
    [error] = errors_of(
        run("import_lines", file(f"extension,phone\n301,{FIRST}\n"), "--account", other.voip_id, "--json")
    )
    assert error == (2, "phone", f"There is no phone {FIRST}.")


def test_among_several_accounts_an_extension_alone_is_not_enough(acme, other, file):
    """Else a file meant for one account would change the line of another."""
    Line.objects.create(account=acme, extension="301", auth_password="s1")
    [error] = errors_of(run("import_lines", file("extension,auth_password\n301,evil\n"), "--json"))
    assert "account and extension" in error[2]
    assert counts(run("import_lines", file("extension,auth_password\n301,x\n"), "--account", other.voip_id, "--json"))
    assert Line.objects.get(account=acme).auth_password == "s1"


PJSIP = """\
[301]
type=endpoint
auth=301
aors=301
callerid="Front desk" <301>
mailboxes=301@default
[301]
type=auth
username=u301
password=a-password-of-more-than-thirty-characters
[trunk]
type=endpoint
outbound_auth=trunk
"""


def test_pjsip_conf_is_imported_and_what_it_does_not_say_stays(acme, file):
    Line.objects.create(account=acme, extension="301", label="Reception", voicemail="*97", busy_trigger=2)
    ran = run("import_lines", file(PJSIP), "--json")
    assert counts(ran) == (0, 1, 0)
    line = Line.objects.get()
    assert (line.auth_name, line.display_name, line.mailbox) == ("u301", "Front desk", "301@default")
    assert (line.label, line.voicemail, line.busy_trigger) == ("Reception", "*97", 2)
    assert [text.partition(":")[0] for text in ran.row["remarks"]] == ["line 11, section [trunk]", "301"]
    assert "a-password" not in ran.out
    assert counts(run("import_lines", file(PJSIP), "--json", "--format", "pjsip")) == (0, 0, 1)


def test_errors_in_the_file_of_a_pbx_name_line_and_section(acme, file):
    bad = file("[301]\ntype=friend\nhost=dynamic\nnonsense\n[302](none)\ntype=friend\nhost=dynamic\n")
    assert errors_of(run("import_lines", bad, "--json")) == [
        (4, "[301]", "This is neither a section nor NAME = VALUE."),
        (5, "[302]", "There is no template [none] above this line."),
    ]
    long = file('[301]\ntype=friend\nhost=dynamic\ncallerid="' + "x" * 40 + '" <301>\n')
    [error] = errors_of(run("import_lines", long, "--json"))
    assert error[:2] == (1, "[301]")
    assert error[2].startswith("display_name: ")
    assert run("import_lines", long, "--format", "nonsense").status == 2


def test_bulk_handler_csv_is_imported(acme, file):
    bulk = "extension,name,tech,secret,dial\n301,Front,pjsip,s1,PJSIP/301\n302,Back,sip,s2,SIP/302\n"
    assert counts(run("import_lines", file(bulk), "--json")) == (2, 0, 0)
    assert Line.objects.get(extension="302").auth_password == "s2"


def test_queries_are_few_however_many_lines_there_are(acme, file):
    Phone.objects.bulk_create(Phone(mac=f"00005E01{number:04X}", account=acme) for number in range(200))

    def cost(numbers: range) -> int:
        rows = "".join(f"{1000 + number},00005E01{number:04X}\n" for number in numbers)
        with CaptureQueriesContext(connection) as queries:
            assert counts(run("import_lines", file(f"extension,phone\n{rows}"), "--json"))[0] == len(numbers)
        return len(queries)

    # SQLite takes a thousand values at a time.
    assert cost(range(20)) <= 50
    assert cost(range(20, 200)) <= 70
    assert LayerLine.objects.count() == 200
    assert Account.objects.count() == 1
