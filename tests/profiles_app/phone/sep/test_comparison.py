"""The difference of two files, as people see it."""

from profiles_app.phone.sep.comparison import diff, folded, side_by_side
from tests.profiles_app.phone.sep.files import sip


def test_equal_files_have_no_difference():
    assert diff(sip(), sip()) == ""


def test_a_change_is_shown_as_a_unified_diff():
    difference = diff(sip(), sip(("Alice", "Bob")))

    assert "-        <displayName>Alice</displayName>\n+        <displayName>Bob</displayName>\n" in difference


def test_secrets_do_not_appear():
    old, new = sip(), sip(("wool-gathering", "hay-making"), ("Alice", "Bob"))

    assert "wool" not in diff(old, new)
    assert "hay" not in diff(old, new)


def test_a_changed_password_does_not_look_like_no_change():
    for also in ((), (("Alice", "Bob"),)):
        difference = diff(sip(), sip(("wool-gathering", "hay-making"), *also))
        assert "-        <authPassword>********</authPassword>\n" in difference
        assert "+        <authPassword>******** (changed)</authPassword>\n" in difference


def test_a_changed_password_of_several_lines_is_told_in_words():
    old, new = sip(("wool-gathering", "wool\ngathering")), sip(("wool-gathering", "hay\nmaking"))
    assert diff(old, new) == "(only masked values differ)\n"


def test_only_lines_around_a_difference_are_kept():
    old = b"\n".join(b"<a>%d</a>" % number for number in range(100))
    pairs = side_by_side(old, old.replace(b"<a>50</a>", b"<a>changed</a>"))
    rows = folded(pairs)
    assert [left_out for _, left_out in rows if left_out] == [47, 46]
    assert [pair.old_number for pair, _ in rows if pair] == [48, 49, 50, 51, 52, 53, 54]


def test_changed_line_ends_show():
    assert "-<device>\n+<device>\r\n" in diff(b"<device>\n</device>", b"<device>\r\n</device>")


def test_content_that_no_phone_reads_is_compared_all_the_same():
    assert "\\xe9" in diff(b"<device>\xe9", b"<device>\xe8")
