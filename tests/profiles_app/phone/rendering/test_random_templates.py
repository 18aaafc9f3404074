"""Templates put together at random: each gives a file or a refusal, soon, and no secret (configuration spec §1.2, §1.4).

They use everything on offer in places where it was not meant to be. The seed is fixed: what fails once fails again.
"""

from random import Random
from time import thread_time

import pytest

from profiles_app.phone.rendering.conditions import TESTS
from profiles_app.phone.rendering.filters import FILTERS
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.values import LayerOf, LineOf
from tests.profiles_app.phone.rendering.conftest import made

SECRET = "s3cret-9"
NAMES = ["device", "lines", "keys", "modules", "stamp", "ntp_servers", "x", "y", "n", "pin"]
NAMES += ["loop", "self", "caller", "range", "namespace", "m", "varargs"]
PARTS = [
    "a",
    "mac",
    "auth_password",
    "label",
    "items",
    "get",
    "split",
    "__class__",
    "upper",
    "index",
    "format",
    "cycle",
]
LITERALS = [
    *("1", "0", "(-1)", "2**62", "3.5", "10**18", "true", "none", "''", "'a,b'", "'{0}'", "'%d'", "'x'*1000"),
    *("[1,'b']", "(1,2)", "{'a':1}", "[[1],[2]]", "range(5)"),
]
OPERATORS = ["+", "-", "*", "/", "//", "%", "**", "~", "and", "or", "==", "<", "in", "not in"]
PLAIN_TESTS = [name for name in TESTS if name.isalpha()]
# {0}, {1} and {2} are expressions, {name} one of the names, {part} an attribute.
EXPRESSIONS = [
    "({0}).{part}",
    "({0}).{part}({1})",
    "({0}).{part}({1}, {2})",
    "({0})[{1}]",
    "({0})[{1}:{2}]",
    "({0} {operator} {1})",
    "({0} {operator} {1})",
    "({0})|{filter}",
    "({0})|{filter}({1})",
    "({0})|{filter}({1}, {2})",
    "({0})|map('{filter}')",
    "({0})|map(attribute='{part}')",
    "({0})|selectattr('{part}', '{test}', {1})",
    "{name}({0}, {1})",
    "({0} is {test})",
    "({0} if {1} else {2})",
    "[{0}, {1}]",
]
# {0} is an expression; {body} and {after} are statements.
STATEMENTS = [
    "{{% for x in {0} %}}{body}{{% else %}}{after}{{% endfor %}}",
    "{{% if {0} %}}{body}{{% else %}}{after}{{% endif %}}",
    "{{% set {variable} = {0} %}}{body}",
    "{{% macro m(x, y={0}) %}}{body}{{% endmacro %}}{after}",
    "{{% call m({0}) %}}{body}{{% endcall %}}",
    "{{% set x %}}{body}{{% endset %}}{after}",
    "{{% filter {filter} %}}{body}{{% endfilter %}}",
    "<a>{body}</a>",
]


class Author:
    """Writes templates, and cares for nothing."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)

    def words(self) -> dict[str, str]:
        lists = {"name": NAMES, "part": PARTS, "operator": OPERATORS, "filter": [*FILTERS], "test": PLAIN_TESTS}
        return {word: self.random.choice(choices) for word, choices in lists.items()}

    def expression(self, depth: int) -> str:
        if not depth:
            return self.random.choice(NAMES + LITERALS)
        inner = (self.expression(depth - 1) for _ in range(3))
        return self.random.choice(EXPRESSIONS).format(*inner, **self.words())

    def statement(self, depth: int) -> str:
        if not depth:
            return "{{ " + self.expression(self.random.randrange(4)) + " }}"
        inner = {"body": self.statement(depth - 1), "after": self.statement(depth - 1)}
        inner["variable"] = self.random.choice(["x", "y", "n.x"])
        return self.random.choice(STATEMENTS).format(self.expression(2), **inner, **self.words())


@pytest.mark.parametrize("seed", range(4))
def test_a_random_template_gives_a_file_or_a_refusal_and_no_secret(seed):
    layer = LayerOf("phone", "phone", values={"x": "X&", "y": "a,b", "pin": SECRET}, secret=frozenset({"pin"}))
    begin = "{% set n = namespace(x=1) %}{% macro m(a) %}{{ a }}{% endmacro %}"
    author = Author(seed)
    codes = set()
    for _ in range(60):
        text = begin + author.statement(author.random.randrange(4))
        begun = thread_time()
        try:
            told = made(text, layer, lines=[LineOf("301", auth_password=SECRET, label="L")])
            said = f"{told.content!r} {told.remarks}"
        except RenderRefused as refused:
            codes.add(refused.code)
            said = str(refused)
        assert SECRET not in said, text
        assert thread_time() - begun < 3, text
    assert {"wrong-value", "missing-value"} <= codes
    assert "template-syntax" not in codes, "nothing is tried where nothing is read"
