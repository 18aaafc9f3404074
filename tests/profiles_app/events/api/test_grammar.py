"""The filter expressions and Soundex, without a server."""

import pytest
from django.db.models import Q

from profiles_app.events.api.query import BadExpression, FilterColumn, condition
from profiles_app.events.callback_changes import soundex

NAME = FilterColumn("name", sound="name_sound")
NUMBER = FilterColumn("callback_id", numeric=True)


@pytest.mark.parametrize(
    ("expression", "meaning"),
    [
        ("plain", Q(name="plain")),
        ("in", Q(name="in")),
        ("eq:a:b", Q(name="a:b")),
        ("http://x", Q(name="http://x")),
        ("eq:a\\,b", Q(name="a,b")),
        ("eq:", Q(name="")),
        ("ne:a", ~Q(name="a")),
        ("gte:a", Q(name__gte="a")),
        ("starts-with:a", Q(name__istartswith="a")),
        ("not-ends-with:a", ~Q(name__iendswith="a")),
        ("in:a,b\\,c", Q(name__in=["a", "b,c"])),
        ("not-in:a", ~Q(name__in=["a"])),
        ("between:a,b", Q(name__range=["a", "b"])),
        ("sounds:Robert", Q(name_sound="R163")),
        ("empty", Q(name__isnull=True) | Q(name="")),
        ("not-empty:", ~(Q(name__isnull=True) | Q(name=""))),
    ],
)
def test_an_expression_means(expression, meaning):
    assert condition(NAME, expression) == meaning


@pytest.mark.parametrize(
    ("column", "expression"),
    [
        (NAME, "eq:a,b"),
        (NAME, "between:a"),
        (NAME, "between:a,b,c"),
        (NAME, "empty:a"),
        (NAME, "in:" + ",".join("a" * 501)),
        (NAME, "a\x00b"),
        (NUMBER, "x"),
        (NUMBER, "eq:"),
        (NUMBER, "eq:1.5"),
        (NUMBER, "contains:1"),
        (NUMBER, "sounds:1"),
        (NUMBER, f"eq:{2**63}"),
        (NUMBER, "in:1,x"),
    ],
)
def test_nonsense_is_refused(column, expression):
    with pytest.raises(BadExpression):
        condition(column, expression)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Robert", "R163"),
        ("Rupert", "R163"),
        ("", ""),
        ("12", ""),
        ("Tymczak", "T520"),
        ("a", "A000"),
        ("Pfister", "P236"),
    ],
)
def test_names_that_sound_alike_have_the_same_code(name, code):
    assert soundex(name) == code
