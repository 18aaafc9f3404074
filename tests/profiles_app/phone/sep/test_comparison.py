"""The difference of two files, as people see it."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles_app.phone.sep.comparison import diff, folded, side_by_side
from profiles_app.phone.sep.line_matching import compare
from tests.profiles_app.phone.sep.files import sip

texts = st.lists(st.sampled_from("abcdefgh"), max_size=20)


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


def short_lines(seed: int, *, distinct: int) -> bytes:
    """500 KB of lines that are all alike, or nearly."""
    chance = random.Random(seed)
    return b"\n".join(b"%d" % chance.randrange(distinct) for _ in range(250_000))[:500_000]


@pytest.mark.parametrize("distinct", [2, 10, 3000, 10**6])
def test_two_large_files_of_short_lines_are_compared_in_good_time(distinct):
    old, new = short_lines(1, distinct=distinct), short_lines(2, distinct=distinct)
    for compared in (diff, side_by_side):

        def seconds(compared=compared) -> float:
            started = time.process_time()
            assert compared(old, new)
            return time.process_time() - started

        # A second is promised; a machine that is busy with other things is slower, and not all the time.
        assert any(seconds() < 2 for _ in range(3))


def test_a_few_changes_in_a_large_file_of_equal_lines_are_found():
    lines = [b"<a>%d</a>" % (number % 7) for number in range(50_000)]
    changed = [*lines]
    for place in (100, 25_000, 49_900):
        changed[place] = b"<b>%d</b>" % place
    old, new = b"\n".join(lines), b"\n".join(changed)
    difference = diff(old, new)
    assert {line for line in difference.splitlines() if line.startswith("+<")} == {
        f"+<b>{place}</b>" for place in (100, 25_000, 49_900)
    }


@given(texts, texts, st.integers(0, 60))
def test_a_coarser_difference_is_a_true_one(old, new, budget):
    i = j = 0
    for same, i1, i2, j1, j2 in compare(old, new, budget):
        assert (i1, j1) == (i, j)
        assert i1 < i2 or j1 < j2
        assert not same or old[i1:i2] == new[j1:j2]
        i, j = i2, j2
    assert (i, j) == (len(old), len(new))
