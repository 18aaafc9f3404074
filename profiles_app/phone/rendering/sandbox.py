"""Jinja2 for templates that anybody may write: what a template can reach, and what it can use up.

Three fences (configuration spec §1.2). What stands in a template is a list of what is allowed, of statements, filters,
tests, functions and attributes; all else is refused when the template is compiled, or when it is reached. What does
work that grows with its input is rewritten into a function of ours that pays for it first (`meter`). And the portal's
own templates are the only ones that can be included: there is no loader of files.
"""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable, Iterator, Mapping
from functools import partial

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes, pass_context
from jinja2.compiler import CodeGenerator, Frame
from jinja2.environment import TemplateModule
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream
from jinja2.loaders import DictLoader
from jinja2.runtime import BlockReference, Context, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from profiles_app.phone.rendering import rewriting
from profiles_app.phone.rendering.conditions import TESTS
from profiles_app.phone.rendering.filters import FILTERS, FUNCTIONS
from profiles_app.phone.rendering.meter import MAX_DEPTH, STEP, meter
from profiles_app.phone.rendering.operands import OPERATORS, kind_of, text_of, wrong
from profiles_app.phone.rendering.refusal import RenderRefused

# Tokens of a template. What is left compiles in two seconds at most; the built-in templates have 3,000.
MAX_TOKENS = 20_000

# Of texts, those whose work grows with the text alone and that make none which is longer.
_TEXT = frozenset(
    (
        "capitalize",
        "count",
        "endswith",
        "find",
        "isalnum",
        "isalpha",
        "isdecimal",
        "isdigit",
        "islower",
        "isupper",
        "lower",
    )
) | {
    "lstrip",
    "partition",
    "removeprefix",
    "removesuffix",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "upper",
}
_MAPPING = frozenset({"get", "items", "keys", "values"})
_LOOP = frozenset(
    ("cycle", "depth", "depth0", "first", "index", "index0", "last", "length", "nextitem", "previtem")
) | {"revindex", "revindex0"}
# A text may be so much longer once it is escaped; with short ones that makes no difference.
_ESCAPED = 5
_SHORT = 1_000
# What a method of a text is given to look for.
_MAX_ARGUMENT = 1_000


class ValueMissing(UndefinedError):
    """A name without a value was used; `name` is "" when it is a part of something that has one."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class MissingValue(StrictUndefined):
    __slots__ = ()

    def __init__(
        self,
        hint: str | None = None,
        obj: object = missing,
        name: str | None = None,
        exc: type[Exception] = ValueMissing,
    ) -> None:
        of_template = name if hint is None and obj is missing and name else ""
        if not hint and obj is not missing:
            hint = f"{kind_of(obj)} has no “{str(name)[:40]}”"
        super().__init__(hint, obj, name, partial(ValueMissing, of_template))  # type: ignore[arg-type]


def readable(value: object) -> frozenset[str]:
    """The attributes of a value that a template may read."""
    kind = type(value)
    if kind not in _READABLE:
        _READABLE[kind] = _attributes(kind)
    return _READABLE[kind]


_READABLE: dict[type, frozenset[str]] = {}


def _attributes(kind: type) -> frozenset[str]:
    if issubclass(kind, str):
        return _TEXT
    if issubclass(kind, dict | types.MappingProxyType):
        return _MAPPING
    if issubclass(kind, LoopContext):
        return _LOOP
    if dataclasses.is_dataclass(kind):
        return frozenset(field.name for field in dataclasses.fields(kind))
    return frozenset()


class _Lines(CodeGenerator):
    """Writes down the line of plain text as well, so that broken XML can be told by the template's line."""

    def visit_Output(self, node: nodes.Output, frame: Frame) -> None:
        self.newline(node)
        super().visit_Output(node, frame)


class _TokenLimit(Extension):
    """Refuses a template of too many tokens while it is read, before there is a tree."""

    def filter_stream(self, stream: TokenStream) -> Iterator[Token]:
        for number, token in enumerate(stream):
            if number > MAX_TOKENS:
                raise TemplateSyntaxError(f"the template has more than {MAX_TOKENS:,} parts", token.lineno)
            yield token


@pass_context
def _written(context: Context, value: object) -> str:
    """What every expression is written as. It takes the context so that nothing is worked out while compiling."""
    text = text_of(value)
    length = len(text)
    meter().spend(STEP + (length if length < _SHORT else length * _ESCAPED))
    return text


class Sandbox(ImmutableSandboxedEnvironment):
    """`templates` are the portal's own, by name: the only ones that can be included, imported or extended."""

    code_generator_class = _Lines
    intercepted_binops = frozenset(OPERATORS)

    def __init__(self, templates: Mapping[str, str]) -> None:
        super().__init__(
            autoescape=True,
            undefined=MissingValue,
            finalize=_written,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            # The optimizer runs filters while compiling, when there is no meter.
            optimized=False,
            auto_reload=False,
            loader=DictLoader(templates),
            extensions=[_TokenLimit],
        )
        self.portal = frozenset(templates)
        self.filters = {**FILTERS, **rewriting.PAID}
        self.tests = dict(TESTS)
        self.globals = dict(FUNCTIONS)

    def _generate(
        self, source: nodes.Template, name: str | None, filename: str | None, defer_init: bool = False
    ) -> str:
        return super()._generate(rewriting.rewritten(source, self.portal), name, filename, defer_init)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        if attr.startswith("_"):
            return False
        return isinstance(obj, Namespace | TemplateModule) or attr in readable(obj)

    def wrap_str_format(self, value: object) -> Callable[..., str] | None:
        """None: `format` is no attribute on offer, here as anywhere; its widths make texts of any size."""
        return None

    def unsafe_undefined(self, obj: object, attribute: str) -> MissingValue:
        raise RenderRefused("not-offered", f"templates cannot read “{attribute[:40]}” of {kind_of(obj)}")

    def getitem(self, obj: object, argument: object) -> object:
        if not isinstance(argument, str | int):
            raise wrong(f"{kind_of(argument)} is no index")
        return super().getitem(obj, argument)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        meter().spend(STEP)
        return OPERATORS[operator](left, right)

    def call(__self, __context: Context, __obj: object, *args: object, **kwargs: object) -> object:
        running = meter()
        running.spend(STEP)
        if not (isinstance(__obj, Macro | BlockReference) or any(__obj is function for function in FUNCTIONS.values())):
            _check_method(__obj, args)
        if running.depth >= MAX_DEPTH:
            raise RenderRefused("too-much-work", "macros call one another too deeply")
        running.depth += 1
        try:
            result = __context.call(__obj, *args, **kwargs)  # type: ignore[arg-type]
        finally:
            running.depth -= 1
        if isinstance(result, str):
            running.text(len(result))
        elif isinstance(result, list | tuple):
            running.elements(len(result))
        return result


def _check_method(method: object, arguments: tuple[object, ...]) -> None:
    """Refuse to call what is no method on offer of a text, a mapping or a loop."""
    if isinstance(method, MissingValue):
        str(method)
    of = getattr(method, "__self__", None)
    if not isinstance(method, types.BuiltinMethodType | types.MethodType) or method.__name__ not in readable(of):
        raise RenderRefused("not-offered", f"{kind_of(method)} cannot be called")
    if isinstance(of, LoopContext):
        return
    for argument in arguments:
        if len(text_of(argument)) > _MAX_ARGUMENT:
            raise RenderRefused("too-large", f"a text to look for has more than {_MAX_ARGUMENT:,} characters")
    if isinstance(of, str):
        meter().spend(len(of))
