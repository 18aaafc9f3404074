"""Passwords are masked and no other byte changes, in sound files and in broken ones."""

import re
from xml.sax.saxutils import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles_app.phone.sep.comparison import MASK, SECRET_ELEMENTS, redact
from profiles_app.phone.sep.document import parse
from tests.profiles_app.phone.sep.files import SIP

M = MASK.encode()

MASKED = {
    "odd white space in the tags": (b"<sshPassword \n>s</sshPassword\t>", b"<sshPassword \n>%s</sshPassword\t>"),
    "attributes": (b"<sshPassword a=\"x>y\" b='1'>s</sshPassword>", b"<sshPassword a=\"x>y\" b='1'>%s</sshPassword>"),
    "a prefix": (b"<x:sshPassword>s</x:sshPassword>", b"<x:sshPassword>%s</x:sshPassword>"),
    "CDATA": (b"<sshPassword><![CDATA[</s>]]></sshPassword>", b"<sshPassword>%s</sshPassword>"),
    "a close tag in CDATA": (
        b"<sshPassword><![CDATA[</sshPassword>]]>s</sshPassword>",
        b"<sshPassword>%s</sshPassword>",
    ),
    "a comment within": (b"<sshPassword>s<!-- </sshPassword> -->s</sshPassword>", b"<sshPassword>%s</sshPassword>"),
    "a comment around": (b"<!-- <sshPassword>s</sshPassword> -->", b"<!-- <sshPassword>%s</sshPassword> -->"),
    "CDATA around": (b"<![CDATA[<sshPassword>s</sshPassword>]]>", b"<![CDATA[<sshPassword>%s</sshPassword>]]>"),
    "elements within": (b"<credentials><a>s</a><b>s</b></credentials>", b"<credentials>%s</credentials>"),
    "one secret in another": (
        b"<credentials>s<userPassword>s</userPassword>s</credentials>",
        b"<credentials>%s</credentials>",
    ),
    "the same in itself": (
        b"<credentials>s<a/>s<credentials>s</credentials>s</credentials>",
        b"<credentials>%s</credentials>",
    ),
    "several lines": (b"<sshPassword>\n s\n</sshPassword>", b"<sshPassword>%s</sshPassword>"),
    "another case": (b"<AuthPassword>s</AuthPassword>", b"<AuthPassword>%s</AuthPassword>"),
    "a tag mentioned in a comment only": (
        b"<!-- put it in <authPassword> --><a>keep</a><authPassword>s</authPassword>",
        b"<!-- put it in <authPassword>%s--><a>keep</a><authPassword>%s</authPassword>",
    ),
}

MASKED_THOUGH_BROKEN = {
    "a placeholder in the tag": (b"<authPassword[== s ==]</authPassword>", b"<authPassword%s</authPassword>"),
    "a quote left open": (b'<authPassword a="1>s</authPassword>', b"<authPassword%s</authPassword>"),
    "a raw < and &": (b"<authPassword>s<s&s</authPassword>", b"<authPassword>%s</authPassword>"),
    "a misspelt close tag": (b"<authPassword>s</authPasword><a>keep</a>", b"<authPassword>%s</authPasword><a>keep</a>"),
    "a misspelt open tag": (b"<a>keep</a><authPasword>s</authPassword>", b"<a>keep</a><authPasword>%s</authPassword>"),
    "no close tag": (b"<authPassword>s\n<a>s</a><b>keep</b>", b"<authPassword>%s</a><b>keep</b>"),
    "a forgotten slash": (b"<authPassword>s<authPassword></line>", b"<authPassword>%s<authPassword></line>"),
    "the end of the file": (b"<device><authPassword>s", b"<device><authPassword>%s"),
    "a comment that never ends": (b"<!-- <authPassword>s</authPassword>", b"<!-- <authPassword>%s</authPassword>"),
    "CDATA that never ends": (b"<authPassword><![CDATA[s</authPassword><a>", b"<authPassword>%s</authPassword><a>"),
    "a space after <": (b"< authPassword>s</ authPassword>", b"< authPassword>%s</ authPassword>"),
}

UNTOUCHED = {
    "an empty secret": b"<authPassword></authPassword>",
    "a secret closed at once": b"<authPassword/><a>keep</a>",
    "one closed at once with attributes": b'<authPassword a="/" /><a>keep</a>',
    "longer names": b"<authPasswordHint>keep</authPasswordHint><passwordAge>keep</passwordAge>",
    "other elements": b"<authName>keep</authName><userId>keep</userId><certHash>keep</certHash><pin1st>keep</pin1st>",
    "nothing": b"",
}


@pytest.mark.parametrize(
    ("content", "expected"), [*MASKED.values(), *MASKED_THOUGH_BROKEN.values()], ids=[*MASKED, *MASKED_THOUGH_BROKEN]
)
def test_secrets_are_masked_wherever_they_stand(content, expected):
    assert redact(content) == expected.replace(b"%s", M)


@pytest.mark.parametrize("content", UNTOUCHED.values(), ids=UNTOUCHED)
def test_what_is_no_secret_stays(content):
    assert redact(content) == content


def test_every_secret_element_is_masked():
    content = "".join(f"<{name}>wool-gathering</{name}>" for name in SECRET_ELEMENTS).encode()

    assert b"wool" not in redact(content)


SECRET_BY_NAME = [
    *("energyWiseSecret", "pskPassphrase", "wlanPassword2", "snmpCommunity", "Password_1_", "Admin_Passwd", "wepKey1"),
    *("SRTP_Private_Key_2_", "User_PIN", "ldap.bindPwd", "sharedSecrets", "eap-password"),
]


@pytest.mark.parametrize("name", SECRET_BY_NAME)
def test_an_element_is_a_secret_by_its_name(name):
    content = f'<vendorConfig><{name} ua="na">wool-gathering</{name}><pcPort>0</pcPort></vendorConfig>'.encode()

    assert redact(content) == content.replace(b"wool-gathering", M)


def test_a_masked_file_is_still_a_document_and_stays_as_it_is():
    masked = redact(SIP.encode())

    assert parse(masked).value("sshPassword") == MASK
    assert redact(masked) == masked


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf_16_is_masked_for_the_report_that_refuses_it(codec):
    assert redact(SIP.encode(codec)).decode(codec) == redact(SIP.encode()).decode()


@pytest.mark.parametrize(
    "hostile",
    [b"<!--", b"<![CDATA[", b"<authPassword>", b"</authPassword ", b"<", b"< ", b"<a:", b'<authPassword "', b"<pin-"],
)
def test_hostile_repetition_takes_linear_time(hostile):
    """Quadratic work on two megabytes would take minutes, so that the test run itself would tell."""
    redact(hostile * (2_000_000 // len(hostile)))


NAMES = st.sampled_from(SECRET_ELEMENTS)
SPACE = st.sampled_from(["", " ", "\n\t"])
# The mark makes a secret recognisable in whatever is left of a file.
SECRETS = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20).map(
    lambda text: f"q7Z{text}q7Z"
)
HARMLESS = st.text(st.sampled_from("abc \n\t.:/=é€"), max_size=20)


@st.composite
def secret_elements(draw):
    name, secret = draw(NAMES), draw(SECRETS)
    written = draw(st.sampled_from([escape(secret), f"<![CDATA[{secret.replace(']]>', '')}]]>"]))
    attributes = draw(st.sampled_from(["", ' a="b"', " a='>'"])) + draw(SPACE)
    before, after = f"<{name}{attributes}>", f"</{name}{draw(SPACE)}>"
    return f"{before}{written}{after}", f"{before}{MASK}{after}"


@st.composite
def harmless_parts(draw):
    text = draw(HARMLESS)
    part = draw(st.sampled_from(["{}", "<a>{}</a>", "<!-- {} -->", '<b c="{}"/>', "<![CDATA[{}]]>"])).format(text)
    return part, part


@st.composite
def commented_secrets(draw):
    content, expected = draw(secret_elements().filter(lambda pair: "--" not in pair[0] and "]]>" not in pair[0]))
    return f"<!--{content}-->", f"<!--{expected}-->"


@given(st.lists(secret_elements() | harmless_parts() | commented_secrets()))
def test_exactly_the_secrets_are_masked(parts):
    content = "<device>" + "".join(part for part, _ in parts) + "</device>"
    expected = "<device>" + "".join(part for _, part in parts) + "</device>"

    assert redact(content.encode()).decode() == expected


@given(st.lists(secret_elements() | harmless_parts(), min_size=1), st.integers(0, 400))
def test_a_file_cut_anywhere_leaks_nothing(parts, length):
    masked = redact("".join(part for part, _ in parts).encode()[:length])

    # A cut inside the name of the element or before the mark leaves nothing recognisable to leak.
    assert b"q7Z" not in masked


@given(st.binary())
def test_arbitrary_bytes_are_masked_without_a_crash(content):
    masked = redact(content)

    named = rb"pass(word|wd|wort|phrase|code)|secret|credential|community|token|psk|pwd|pin|key|code"
    assert masked == content or re.search(named, content, re.IGNORECASE) or b"\0" in content
