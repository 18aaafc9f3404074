"""Dial templates: what a phone makes of a file, and of a number that somebody dials (boot server spec §11.1)."""

import pytest

from profiles_app.phone.companions.check import check_companion
from profiles_app.phone.companions.dial_template import (
    LARGEST,
    DialRule,
    DialTemplate,
    read_dial_template,
    rules_dialled_by,
    write_dial_template,
)
from profiles_app.phone.companions.dialling import OWN_TIMEOUT, example_of, rewritten, try_number

PLAN = b"""<DIALTEMPLATE>
  <versionStamp>7f</versionStamp>
  <!-- emergency -->
  <TEMPLATE MATCH="112" Timeout="0"/>
  <TEMPLATE match="9,011*" timeout="6" tone="Cisco-Zip"/>
  <TEMPLATE MATCH="9,.......,.." Timeout="0" Rewrite="00%1" User="Phone" Tone="Bellcore-Outside" Tone="Cisco-ZipZip"/>
  <TEMPLATE MATCH="3.." Timeout="1"/>
  <TEMPLATE MATCH="*" Timeout="5"/>
</DIALTEMPLATE>
"""


def rules(content=PLAN):
    return read_dial_template(content)[0].rules


def found(content):
    return [(finding.code, finding.line) for finding in check_companion("dial-template", content)]


@pytest.mark.parametrize(
    ("typed", "rule", "used", "seconds", "sent"),
    [
        ("112", 1, "112", 0, "112"),
        ("301", 4, "301", 1, "301"),
        # A digit too many: the rule for three does not match any more, and the asterisk takes all.
        ("3012", 5, "3012", 5, "3012"),
        ("90115", 2, "90115", 6, "90115"),
        # Dialled by itself after the tenth digit; what is typed after that is not part of the number.
        ("94441234567", 3, "9444123456", 0, "004441234"),
        # 3.. could still match, and matches more than the asterisk does: the phone waits.
        ("30", None, "30", OWN_TIMEOUT, "30"),
        ("555#", 5, "555#", 0, "555"),
        ("", None, "", OWN_TIMEOUT, ""),
    ],
)
def test_a_number_is_dialled_by_the_rule_that_matches_most_digits(typed, rule, used, seconds, sent):
    dialled = try_number(rules(), typed)
    assert (dialled.rule, dialled.used, dialled.seconds, dialled.sent) == (rule, used, seconds, sent)


def test_each_comma_plays_its_tone():
    assert try_number(rules(), "9444123456").tones == ((1, "Cisco-Zip"), (8, "Cisco-ZipZip"))


def test_an_exact_rule_comes_before_dots_whatever_their_order():
    plan = [DialRule("9..", 0), DialRule("911", 3), DialRule("*", 8)]
    assert try_number(plan, "911").rule == 2
    assert try_number(plan, "912").rule == 1


def test_a_hotline_dials_without_a_digit_on_its_line_alone():
    plan = [DialRule("", 0, line=2, rewrite="300"), DialRule("*", 5)]
    assert (try_number(plan, "5", line=2).sent, try_number(plan, "5", line=2).used) == ("300", "")
    assert try_number(plan, "5", line=1).sent == "5"


def test_a_hash_is_a_digit_at_call_managers_like_ciscos():
    plan = [DialRule("#..", 0), DialRule("*", 5)]
    assert try_number(plan, "#12", hash_dials=False).rule == 1
    assert try_number(plan, "55#", hash_dials=True).seconds == 0


@pytest.mark.parametrize(
    ("match", "rewrite", "typed", "sent"),
    [
        ("31.", "1111%s", "310", "1111310"),
        ("32..", "122232..", "3255", "12223255"),
        ("34..1..", "1444%155%2", "3498176", "1444985576"),
        ("5.", "%%%.%9.", "57", "%.97"),
        ("\\*7.", "0.", "*74", "04"),
    ],
)
def test_the_number_is_rewritten(match, rewrite, typed, sent):
    assert try_number([DialRule(match, 0, rewrite=rewrite)], typed).sent == sent


def test_groups_beyond_the_fifth_are_part_of_none():
    assert rewritten(DialRule("", rewrite="%5%1"), "x", ["1", "2", "3", "4", "5"]) == "51"


def test_what_is_written_is_read_as_the_same():
    template, findings = read_dial_template(PLAN)
    again, _ = read_dial_template(write_dial_template(template))
    assert findings == []
    assert [{**vars(rule), "source_line": None} for rule in again.rules] == [
        {**vars(rule), "source_line": None} for rule in template.rules
    ]
    assert again.version == "7f"
    assert again.rules[0].remark == "emergency"
    assert again.rules[2].tones == ("Bellcore-Outside", "Cisco-ZipZip")


def test_a_comment_cannot_end_early():
    made = write_dial_template(read_dial_template(PLAN)[0].__class__((DialRule("1", 0, remark="a --> <TEMPLATE/> -"),)))
    assert len(rules(made)) == 1


@pytest.mark.parametrize(("remark", "shown"), [("--- out ---", "- - - out - - -"), ("in---out", "in- - -out")])
def test_a_remark_may_have_any_number_of_hyphens(remark, shown):
    made = write_dial_template(DialTemplate((DialRule("1", 0, remark=remark),)))
    assert [rule.remark for rule in read_dial_template(made)[0].rules] == [shown]


def test_what_phones_leave_out_is_found_with_its_line():
    spoilt = (
        b'<DIALTEMPLATE>\n<template MATCH="1"/>\n<TEMPLATE MATCH="2" Foo="1"/>\n<TEMPLATE MATCH="3" Timeout="x"/>\n'
        b'<TEMPLATE MATCH="4" Tone="Moo"/>\n<TEMPLATE MATCH="5" User="me"/>\n<other/>\n'
        b'<TEMPLATE MATCH="6"/></DIALTEMPLATE>'
    )
    assert found(spoilt) == [
        ("lower-case", 2),
        ("rule-left-out", 3),
        ("rule-left-out", 4),
        ("rule-left-out", 5),
        ("rule-left-out", 6),
        ("unknown", 7),
    ]
    assert [rule.match for rule in rules(spoilt)] == ["6"]


def test_what_is_doubtful_is_a_warning():
    doubtful = (
        b'<DIALTEMPLATE>\n<TEMPLATE MATCH="9" Timeout="0"/>\n<TEMPLATE MATCH="911" Timeout="0"/>\n'
        b'<TEMPLATE MATCH="4." Rewrite="..%2"/>\n<TEMPLATE MATCH="9"/>\n'
        b'<TEMPLATE MATCH="7x" Tone="Cisco-Zip"/></DIALTEMPLATE>'
    )
    assert found(doubtful) == [
        ("rewrite", 4),
        ("rewrite", 4),
        ("twice", 5),
        ("pattern", 6),
        ("tones", 6),
        ("cut-off", 3),
    ]


def test_a_file_that_phones_silently_ignore_is_an_error():
    rule = b'<TEMPLATE MATCH="12345678" Timeout="0"/>\n'
    content = b"<DIALTEMPLATE>\n" + rule * ((LARGEST - 40) // len(rule)) + b"</DIALTEMPLATE>\n"
    assert len(content) <= LARGEST
    assert "too-large" not in dict(found(content))
    assert "too-large" in dict(found(content + b" " * (LARGEST + 1 - len(content))))


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<DIALTEMPLATE>", b"<other/>", b'<!DOCTYPE x [<!ENTITY a "b">]><DIALTEMPLATE>&a;</DIALTEMPLATE>'],
)
def test_what_is_no_dial_template_is_one_clear_error(content):
    (finding,) = check_companion("dial-template", content)
    assert (finding.severity, finding.message.endswith(".")) == ("error", True)


def test_examples_are_for_their_patterns():
    assert [example_of(pattern) for pattern in ("9,1..", "\\*7*", "\\#")] == ["9155", "*75", "#"]


def test_a_file_that_is_too_long_for_phones_has_no_rule_for_them():
    assert rules_dialled_by(PLAN) == rules()
    assert rules_dialled_by(PLAN + b" " * LARGEST) == ()
