"""The text that a PBX needs for phones, read back by our own reader, and sip.conf in the spelling of Asterisk 22."""

import pytest

from profiles_app.phone import pbx
from profiles_app.phone.pbx.conf import read_conf

SEP = b"""<device><deviceProtocol>SIP</deviceProtocol><transportLayerProtocol>1</transportLayerProtocol>
<sipProfile><sipLines>
<line button="3" lineIndex="2"><featureID>9</featureID><name>302</name></line>
<line button="1" lineIndex="1"><featureID>9</featureID><name>peer1</name><contact>301</contact>
<displayName>Front "A"</displayName><authName>301</authName><authPassword>s;1</authPassword>
<maxNumCalls>4</maxNumCalls><busyTrigger>9</busyTrigger></line>
<line button="2"><featureID>21</featureID><speedDialNumber>305@pbx.example</speedDialNumber></line>
<line button="4"><featureID>2</featureID><speedDialNumber>999</speedDialNumber></line>
</sipLines></sipProfile></device>"""


@pytest.fixture
def phone():
    known = {"302": pbx.PbxLine("302", auth_password="s2", mailbox="302")}
    return pbx.completed(pbx.needs_of(SEP, mac="00005E005301", title="Front desk"), known)


def conf_of(text):
    """The sections before the dialplan, by name and type."""
    conf = read_conf(text.partition("; extensions.conf")[0].encode())
    assert conf.errors == []
    return {(section.name, section.get("type")): section for section in conf.sections}


def test_what_a_phone_needs_is_read_from_its_file(phone):
    assert [line.name for line in phone.lines] == ["peer1", "302"]
    assert (phone.transport, phone.watched) == ("tcp", ("305",))
    assert (phone.lines[1].auth_password, phone.lines[1].mailbox) == ("s2", "302")


def test_pjsip_has_endpoint_auth_and_aor_for_each_line(phone):
    text = pbx.pbx_text([phone], "pjsip")
    parts = conf_of(text)
    assert set(parts) == {(name, kind) for name in ("peer1", "302") for kind in ("endpoint", "auth", "aor")}
    assert parts["peer1", "endpoint"].get("callerid") == '"Front \\"A\\"" <301>'
    assert parts["peer1", "auth"].get("password") == "s;1"
    assert parts["302", "endpoint"].get("mailboxes") == "302@default"
    assert "exten => 301,hint,PJSIP/peer1\n" in text
    # And it is what an import understands.
    lines = pbx.lines_in(text.partition("; extensions.conf")[0].encode(), "pjsip").lines
    assert [(line.extension, line.name, line.auth_password) for line in lines] == [
        ("301", "peer1", "s;1"),
        ("302", "302", "s2"),
    ]


@pytest.mark.parametrize(
    ("dialect", "kind", "limit", "cisco"),
    [("chan_sip", "friend", "call-limit", "cisco_usecallmanager"), ("chan_sip_22", "peer", "maxcalls", "cisco")],
)
def test_chan_sip_in_both_spellings(phone, dialect, kind, limit, cisco):
    text = pbx.pbx_text([phone], dialect, context="phones")
    parts = conf_of(text)
    first, second = parts["peer1", kind], parts["302", kind]
    assert (first.get(limit), first.get("busylevel"), first.get(cisco)) == ("4", "4", "yes")
    assert (first.all("register"), first.all("subscribe"), first.get("transport")) == (["302"], ["305"], "tcp")
    assert second.all("register") == second.all("subscribe") == []
    assert "exten => 301,hint,SIP/peer1,SIP/peer1\n" in text
    assert "exten => 305,hint,SIP/305,SIP/305\n" in text


@pytest.mark.parametrize("dialect", pbx.DIALECTS)
def test_hidden_passwords_leave_no_peer_open(phone, dialect):
    text = pbx.pbx_text([pbx.masked(phone)], dialect)
    assert not any(secret in text for secret in ("s;1", "s\\;1", "s2"))
    assert "Passwords are hidden" in text
    if dialect != "pjsip":
        assert all(section.get("md5secret") == "*" for section in conf_of(text).values())


def test_register_lines_keep_the_order_of_the_phone():
    lines = tuple(pbx.PbxLine(name) for name in ("9", "3", "7", "1"))
    text = pbx.pbx_text([pbx.PbxPhone("00005E005301", "", "tcp", lines, ())], "chan_sip_22")
    assert conf_of(text)["9", "peer"].all("register") == ["3", "7", "1"]


def test_a_line_of_two_phones_is_written_once(phone):
    text = pbx.pbx_text([phone, phone], "pjsip")
    assert text.count("type = endpoint") == 2
    assert "[peer1] is above" in text


HOSTILE = [
    pbx.PbxLine("301]\n[evil"),
    pbx.PbxLine("301\n"),
    pbx.PbxLine("_X."),
    pbx.PbxLine("301", auth_password="x\n[evil]\ntype=endpoint"),
    pbx.PbxLine("301", auth_password="x\r[evil]"),
    pbx.PbxLine("301", auth_password=" x"),
    pbx.PbxLine("301", display_name="x\u2028[evil]"),
    pbx.PbxLine("301", mailbox="3\n[evil]"),
    pbx.PbxLine("301", extension="301,1,System(x)"),
    pbx.PbxLine("301", display_name="x" * 5000),
]


@pytest.mark.parametrize("line", HOSTILE)
@pytest.mark.parametrize("dialect", pbx.DIALECTS)
def test_a_value_that_would_break_out_leaves_its_phone_out(phone, dialect, line):
    bad = pbx.PbxPhone("00005E005302", "bad\n[evil]", "tcp", (pbx.PbxLine("300"), line), ())
    text = pbx.pbx_text([bad, phone], dialect)
    assert "; LEFT OUT: " in text
    assert {name for name, _ in conf_of(text)} == {"peer1", "302"}
    assert "evil" not in "".join(row for row in text.splitlines() if not row.startswith(";"))


@pytest.mark.parametrize("password", [";", "a;b", ";-- a", "\\;", "a\\", "[x]", "#include x", "> x", '"', "%s{}"])
@pytest.mark.parametrize("dialect", pbx.DIALECTS)
def test_odd_passwords_are_read_back_as_they_are(dialect, password):
    phone = pbx.PbxPhone("00005E005301", "", "tcp", (pbx.PbxLine("301", auth_password=password),), ())
    options = [option for section in conf_of(pbx.pbx_text([phone], dialect)).values() for option in section.options]
    assert [option.value for option in options if option.name in ("secret", "password")] == [password]


def test_a_context_cannot_break_out():
    with pytest.raises(pbx.UnsafeValue):
        pbx.pbx_text([], "pjsip", context="a]\n[b")


OLD = """\
[general]
context=default ; of calls
[cisco](!)
  type = friend ; as before
cisco_usecallmanager=yes
callcounter=yes
dndbusy => yes
sendrpid=pai
;-- call-limit=1
call-limit=2 --; call-limit=3
[301](cisco)
call-limit=4
context=phones
; huntgroup_default=yes
register=302
"""


def test_sip_conf_of_asterisk_20_is_rewritten_for_22():
    text, remarks = pbx.to_22(OLD)
    assert (
        text
        == """\
[general]
;context=default ; of calls
[cisco](!)
  type = peer ; as before
cisco=yes
;callcounter=yes
busywhendnd => yes
;sendrpid=pai
;-- call-limit=1
call-limit=2 --; call-limit=3
[301](cisco)
maxcalls=4
context=phones
; huntgroup_default=yes
register=302
"""
    )
    told = [str(remark) for remark in remarks]
    assert (
        "line 2, section [general]: context may not stand in [general]; give it in each peer or in a template." in told
    )
    assert "line 10, section [cisco]: Convert this line by hand." in told
    assert any("identity" in text for text in told)


def test_a_converted_file_stays_as_it_is_when_converted_again():
    once, _ = pbx.to_22(OLD.replace(" --; call-limit=3", " --;"))
    again, remarks = pbx.to_22(once)
    assert again == once
    assert len(remarks) == 1
