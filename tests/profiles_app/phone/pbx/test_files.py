"""Lines read from the files of a PBX: pjsip.conf, sip.conf and FreePBX's CSV, and what is told of their mistakes."""

import time

import pytest

from profiles_app.phone import pbx
from profiles_app.phone.pbx.conf import MAX_BYTES, read_conf
from profiles_app.phone.pbx.found import caller_id

PJSIP = b"""\
; phones of the reception
[phone](!)
type=endpoint
context=from-internal
language=de
[login](!)
type = auth
auth_type = userpass
;-- [299](phone)
auth=299 ;-- nested --;
--; [301](phone) ; the first
auth=301
aors => 301
callerid="Front \\"A\\" desk" <301>
mailboxes=301@default,300@default
device_state_busy_at=2
[301](login)
username=u301
password=se\\;cret ; not the comment
[301]
type=aor
max_contacts=1
[301](+type=auth)
realm=pbx
[desk-2](phone)
callerid=Back <302>
auth=nowhere
[trunk]
type=endpoint
outbound_auth=trunk
[door](phone)
[transport-udp]
type=transport
#include "more.conf"
"""

SIP = b"""\
[general]
register => trunk:pw@sip.example.com
[cisco](!)
type=friend
host=dynamic
call-limit=4
[301](cisco)
secret=s301
mailbox=301@default
busylevel=2
register=302
register=399
[302](cisco)
maxcalls=6
callerid="Back" <302>
[provider]
type=peer
host=sip.example.com
[303](cisco)
md5secret=0123456789abcdef0123456789abcdef
"""

BULK = b"""\
extension,name,tech,secret,id,voicemail_enable,mailbox,namedcallgroup,device_state_busy_at,dial
301,Front desk,pjsip,s1,301,yes,301@default,front,2,PJSIP/301
302,Back,sip,s2,302,,,,0,SIP/302
303,Nobody,virtual,,303,,,,,
x,Wrong,pjsip,,,,,,,
304,short
"""


def test_pjsip_conf_with_templates_comments_and_sections_of_one_name():
    found = pbx.lines_in(PJSIP, pbx.format_of(PJSIP))
    assert found.errors == []
    first, second = found.lines
    assert (first.line, first.section, first.extension, first.name) == (11, "301", "301", "301")
    assert (first.auth_name, first.auth_password, first.display_name) == ("u301", "se;cret", 'Front "A" desk')
    assert (first.mailbox, first.busy_trigger) == ("301@default", 2)
    assert (second.extension, second.name, second.auth_password) == ("302", "desk-2", "")
    told = [str(remark) for remark in found.remarks]
    assert any("section [desk-2]: auth=nowhere is not in this file" in text for text in told)
    assert any("section [trunk]: Left out: a trunk" in text for text in told)
    assert any("section [door]: Left out" in text for text in told)
    assert any(text.startswith("line 34: “#include") for text in told)


def test_sip_conf_in_both_spellings():
    found = pbx.lines_in(SIP, pbx.format_of(SIP))
    assert found.errors == []
    assert [(line.extension, line.auth_password, line.max_calls, line.busy_trigger) for line in found.lines] == [
        ("301", "s301", 4, 2),
        ("302", "", 6, None),
        ("303", "", 4, None),
    ]
    told = " ".join(map(str, found.remarks))
    assert "section [provider]: Left out" in told
    assert "line 12, section [301]: register=399 names a peer that is not in this file." in told
    assert "section [303]: The password is stored as a hash" in told


def test_bulk_handler_csv():
    assert pbx.format_of(BULK) == "bulk-handler"
    found = pbx.lines_in(BULK, "bulk-handler")
    assert [(line.extension, line.auth_password, line.mailbox, line.busy_trigger) for line in found.lines] == [
        ("301", "s1", "301@default", 2),
        ("302", "s2", "", None),
    ]
    assert [str(error) for error in found.errors] == [
        "line 5, section [x]: The extension must be digits.",
        "line 6, section [304]: This row has 2 cells, the header has 10.",
    ]
    assert "virtual" in found.remarks[0].message


def test_the_shortest_bulk_handler_csv_and_one_that_is_broken():
    short = b"extension,name,secret\n301,Front,s1\n"
    assert pbx.format_of(short) == "bulk-handler"
    [line] = pbx.lines_in(short, "bulk-handler").lines
    assert (line.extension, line.display_name, line.auth_password) == ("301", "Front", "s1")
    broken = pbx.lines_in(short + b'302,"Back\n', "bulk-handler")
    assert [str(error).partition(" is not CSV")[0] for error in broken.errors] == ["line 3: This"]
    assert [line.extension for line in broken.lines] == ["301"]


@pytest.mark.parametrize("content", [b"\r\n", b"a\rb", b"\xff\xfe", b"[", b'"', b"\x00", b"]" * 70_000, b"[x" * 70_000])
@pytest.mark.parametrize("kind", pbx.FORMATS[1:])
def test_no_bytes_are_more_than_an_error(content, kind):
    assert pbx.format_of(content) in pbx.FORMATS
    assert pbx.lines_in(content, kind).lines == []


def test_our_own_csv_is_none_of_them():
    assert pbx.format_of(b"extension,auth_password\n301,x\n") == "csv"
    assert pbx.format_of(b"") == "csv"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[a\n", "line 1: The name of this section has no ] at its end."),
        (b"[a]junk\n", "line 1: After the name of a section only"),
        (b"x=1\n", "line 1: An option stands before the first section."),
        (b"[a]\ntype=friend\nnonsense\n", "line 3, section [a]: This is neither a section nor NAME = VALUE."),
        (b"[a](b)\ntype=friend\n", "line 1, section [a]: There is no template [b] above this line."),
        (b"[a](+)\n", "line 1, section [a]: (+) adds to a section [a] that is not above this line."),
        (b"[a](a)\n", "There is no template [a] above this line."),
        (b"[a]\ntype=\xff\n", "line 2, section [a]: This line is not UTF-8."),
        (b"[a]\ntype=\x00\n", "line 2, section [a]: There is a control character"),
        (b"[a]\ntype=friend\n;-- open\n", "line 3, section [a]: The comment that begins here with ;-- does not end."),
        (b"[a]\nx=" + b"y" * 9000, "line 2, section [a]: A line has at most 8191 bytes."),
        (b"[301]\nhost=dynamic\n", "line 1, section [301]: This section has no type."),
        (b"[301]\ntype=peer\n[301]\ntype=peer\n", "line 3, section [301]: There is a peer of this name in line 1."),
        (b"x" * (MAX_BYTES + 1), "line 1: The file is larger than 8 MB."),
    ],
)
def test_a_mistake_is_told_with_line_and_section(content, said):
    assert any(str(error).startswith(said) or said in str(error) for error in pbx.lines_in(content, "sip").errors)


def test_pjsip_sections_without_a_type_and_twice():
    errors = pbx.lines_in(b"[1]\ncontext=a\n[2]\ntype=aor\n[2]\ntype=aor\n", "pjsip").errors
    assert [str(error) for error in errors] == [
        "line 1, section [1]: This section has no type.",
        "line 5, section [2]: There is a second section of the type aor of this name.",
    ]


def test_templates_of_templates_stay_small():
    """Each section doubles what the one above it has."""
    steps = [f"[t{n}](!,t{n - 1},t{n - 1})\n" for n in range(1, 60)]
    started = time.process_time()
    conf = read_conf(("[t0](!)\na=b\n" + "".join(steps)).encode())
    assert "more than 1000000 options" in conf.errors[-1].message
    assert time.process_time() - started < 2


def test_plus_equals_appends_and_a_dashed_rule_is_no_comment_of_several_lines():
    conf = read_conf(b";--- rule ---\n[a]\nx=1\nx+=2\n")
    assert conf.sections[0].get("x") == "12"


@pytest.mark.parametrize(
    ("text", "name", "number"),
    [('"A" <1>', "A", "1"), ("A B <1>", "A B", "1"), ("<1>", "", "1"), ("301", "", "301"), ("Ann", "Ann", "")],
)
def test_caller_ids(text, name, number):
    assert caller_id(text) == (name, number)
