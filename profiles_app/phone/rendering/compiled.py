"""Templates made ready and run, and the template's line of what goes wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from types import GeneratorType, TracebackType
from xml.parsers import expat

from jinja2 import Template, TemplateError, TemplateSyntaxError, meta, nodes

from profiles_app.phone.rendering.marks import Marks
from profiles_app.phone.rendering.meter import MAX_TEXT, meter
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.sandbox import Sandbox, ValueMissing
from profiles_app.phone.rendering.settings import find_setting

# Jinja2 makes all line ends alike; the file's author decides them. A carriage return outside of tags becomes this sign,
# which no file can hold (XML 1.0 §2.2). After a tag of a statement the line end goes with the tag.
_CARRIAGE = "\uffff"
_TAG_OR_CARRIAGE = re.compile(r"\{\{|\{%|\{#|\r")
_TAG_ENDS = {"{{": "}}", "{%": "%}", "{#": "#}"}
_LINE_END = re.compile(r"\r\n|\r|\n")
# What a template is given besides values.
GIVEN = frozenset({"device", "lines", "keys", "modules", "stamp"})
_OF_JINJA = frozenset({"loop", "self", "super", "caller", "varargs", "kwargs"})
# Of a line of a template, what is looked through for expressions.
_LONGEST_ROW = 2_000
# Of the templates last used; ten thousand phones share a few.
_KEPT = 128

Portal = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Compiled:
    """A template that is ready to run. `names` are those that it reads from outside."""

    text: str
    template: Template
    names: frozenset[str]


@lru_cache(maxsize=4)
def _sandbox(portal: Portal) -> Sandbox:
    return Sandbox(dict(portal))


@lru_cache(maxsize=_KEPT)
def _compiled(text: str, portal: Portal) -> Compiled:
    if len(text) > MAX_TEXT:
        raise RenderRefused("too-large", f"the template has more than {MAX_TEXT // 1024} KB")
    if _CARRIAGE in text:
        raise RenderRefused("template-syntax", "the template has the character U+FFFF, which no file can hold")
    sandbox = _sandbox(portal)
    marked = "".join(_carriages_marked(text)) if "\r" in text else text
    try:
        tree = sandbox.parse(marked)
        template = sandbox.from_string(tree)
        names = _names(sandbox, tree, dict(portal))
    except TemplateSyntaxError as error:
        raise RenderRefused("template-syntax", error.message or "syntax error", error.lineno) from error
    except (RecursionError, MemoryError, SyntaxError, ValueError) as error:
        # Python's own limits, such as blocks within blocks; these have no line of the template.
        raise RenderRefused("template-syntax", "the template nests too deeply, or has too long a number") from error
    return Compiled(text, template, names)


def _carriages_marked(text: str) -> Iterator[str]:
    kept = 0
    while found := _TAG_OR_CARRIAGE.search(text, kept):
        yield text[kept : found.start()]
        kept = found.end()
        if found[0] == "\r":
            yield _CARRIAGE
            continue
        closed = text.find(_TAG_ENDS[found[0]], kept)
        # A tag without an end is a syntax error, which Jinja2 tells.
        kept = len(text) if closed < 0 else closed + 2
        yield text[found.start() : kept]
        if found[0] != "{{" and text.startswith("\r\n", kept):
            kept += 1
    yield text[kept:]


def compile_template(text: str, templates: Mapping[str, str]) -> Compiled:
    """Return the template, which many threads may run. `templates` are the portal's own. Raises RenderRefused."""
    return _compiled(text, tuple(templates.items()))


class _Tracking(meta.TrackingCodeGenerator):
    """As `meta.find_undeclared_variables`, which also runs filters to work out constants."""

    def __init__(self, environment: Sandbox) -> None:
        super().__init__(environment)
        self.optimizer = None


def _names(sandbox: Sandbox, tree: nodes.Template, portal: Mapping[str, str]) -> frozenset[str]:
    """The names that a template and those which it includes read from outside."""
    found: set[str] = set()
    known: set[str] = set()
    trees = [tree]
    while trees:
        one = trees.pop()
        tracking = _Tracking(sandbox)
        tracking.visit(one)
        found |= tracking.undeclared_identifiers
        for name in meta.find_referenced_templates(one):
            if name is not None and name in portal and name not in known:
                known.add(name)
                trees.append(sandbox.parse(portal[name]))
    return frozenset(found - _OF_JINJA)


def run(compiled: Compiled, context: Mapping[str, object]) -> str:
    """Return what the template writes, marks of secrets included. Raises RenderRefused."""
    chunks: list[str] = []
    length = 0
    try:
        for chunk in _running(compiled, context):
            length += len(chunk)
            if length > MAX_TEXT:
                raise RenderRefused("too-large", f"the file is larger than {MAX_TEXT // 1024} KB")
            chunks.append(chunk)
    except RenderRefused as refused:
        refused.line = refused.line or _line_of(refused.__traceback__, compiled)
        raise
    except ValueMissing as error:
        line = _line_of(error.__traceback__, compiled)
        if not error.name:
            raise RenderRefused("wrong-value", str(error), line) from error
        # A setting of the catalogue is not misspelt: it has no default, and no layer gives it.
        setting = find_setting(error.name)
        meant = [] if setting else get_close_matches(error.name, context, 1)
        hint = f" ({setting.label})" if setting else f" (there is “{meant[0]}”)" if meant else ""
        raise RenderRefused("missing-value", f"“{error.name}”{hint} has no value", line) from error
    except RecursionError as error:
        raise RenderRefused("too-much-work", "macros call one another without an end") from error
    except MemoryError as error:
        raise RenderRefused("too-large", "the template needs too much memory") from error
    except Exception as error:
        # A wrong number of arguments, a division by zero. Messages of others may have values in them.
        words = str(error) if isinstance(error, TypeError | ZeroDivisionError | TemplateError) else type(error).__name__
        if isinstance(error, TypeError) and "argument" in words:
            words = "a filter, test, function or macro has too few arguments, or too many"
        raise RenderRefused("wrong-value", words, _line_of(error.__traceback__, compiled)) from error
    return "".join(chunks).replace(_CARRIAGE, "\r")


def _running(compiled: Compiled, context: Mapping[str, object]) -> Iterator[str]:
    template = compiled.template
    return template.root_render_func(template.new_context(dict(context)))


def _line_of(traceback: TracebackType | None, compiled: Compiled) -> int | None:
    """The line of the template itself, also where one that it includes fails."""
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_globals.get("__jinja_template__") is compiled.template:
            line = compiled.template.get_corresponding_lineno(traceback.tb_lineno)
        traceback = traceback.tb_next
    return line


@dataclass(frozen=True)
class _Chunk:
    start: int
    text: str
    line: int
    plain: bool


def place_of(
    compiled: Compiled, context: Mapping[str, object], marks: Marks, line: int, column: int
) -> tuple[int | None, tuple[str, ...]]:
    """Return the template's line for a place in its file, and the expressions of the element which is broken there.

    The template runs again, and each piece that it writes is asked for its line. Only for what went wrong: it is slow.
    """
    chunks = list(_chunks(compiled, context, marks))
    text = "".join(chunk.text for chunk in chunks)
    starts = [0, *(end.end() for end in _LINE_END.finditer(text))]
    place = min(starts[min(line, len(starts)) - 1] + column - 1, len(text))
    opened = _open_before(text[:place])
    found: int | None = None
    blamed: dict[str, None] = {}
    for chunk in chunks:
        if chunk.start <= place:
            found = chunk.line
            if chunk.plain:
                found += len(_LINE_END.findall(chunk.text, 0, place - chunk.start))
            if not chunk.plain and chunk.start + len(chunk.text) > opened:
                blamed.update(dict.fromkeys(_expressions(compiled.text, chunk.line)))
    return found, tuple(blamed)


def _chunks(compiled: Compiled, context: Mapping[str, object], marks: Marks) -> Iterator[_Chunk]:
    running = _running(compiled, context)
    start = 0
    for text in running:
        inner: object = running
        line = 1
        while isinstance(inner, GeneratorType) and inner.gi_frame is not None:
            if inner.gi_frame.f_globals.get("__jinja_template__") is compiled.template:
                line = compiled.template.get_corresponding_lineno(inner.gi_frame.f_lineno)
            inner = inner.gi_yieldfrom
        text = marks.finish(text.replace(_CARRIAGE, "\r"))
        yield _Chunk(start, text, line, text in compiled.text)
        start += len(text)
    meter().spend(start)


def _open_before(text: str) -> int:
    """Where the innermost element starts that is open at the end of a text."""
    parser = expat.ParserCreate("utf-8")
    content = text.encode("utf-8", "replace")
    starts: list[int] = []
    parser.StartElementHandler = lambda *_: starts.append(parser.CurrentByteIndex)
    parser.EndElementHandler = lambda _: starts.pop()
    with suppress(expat.ExpatError):
        parser.Parse(content, False)
    return len(content[: starts[-1]].decode("utf-8", "ignore")) if starts else 0


def _expressions(text: str, line: int) -> list[str]:
    """What is written in a line of the template, without filters."""
    rows = _LINE_END.split(text)
    row = rows[line - 1][:_LONGEST_ROW] if line <= len(rows) else ""
    return [found.partition("|")[0].strip() for found in re.findall(r"\{\{-?(.*?)-?\}\}", row)]
