"""`python -m tests.environment_reference`: docs/environment.md, made of the settings in config/.

What a variable means is the comment at its line, else the comment above it, which may be that of several in a row.
"""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = [ROOT / "config" / name for name in ("settings.py", "file_server.py", "login.py")]
DOCUMENT = ROOT / "docs" / "environment.md"
MADE = "made on the first run"
HEAD = """# Environment

Every setting is an environment variable. Each has a default with which the portal runs on one machine. Each may also be
given as a file: `SECRET_KEY_FILE=/run/secrets/key`. This page is made of `settings.py`, `file_server.py` and
`login.py` in `config/` (`make environment`).
"""
TAIL = """
## `manage.py serve`

| variable | default | meaning |
|---|---|---|
| `HOST`, `PORT` | `127.0.0.1`, `8000` | Where the portal listens; `--host` and `--port` say the same. |
| `ADMIN_EMAIL`, `ADMIN_PASSWORD` | `admin@example.org`, made | The administrator of the first start. |
"""


@dataclass
class Variable:
    name: str
    default: str
    meaning: str
    formerly: str = ""

    @property
    def shown_default(self) -> str:
        return self.default if self.default in ("", "on", "off", MADE) else f"`{self.default}`"


def row_of(alike: list[Variable]) -> str:
    """One row of the table, for variables of which the same is said."""
    names = ", ".join(f"`{each.name}`" for each in alike)
    defaults = ", ".join(each.shown_default for each in alike)
    older = ", ".join(f"`{each.formerly}`" for each in alike if each.formerly)
    return f"| {names} | {defaults} | {alike[0].meaning}{f' Formerly {older}, still read.' if older else ''} |"


class Source:
    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.lines = text.splitlines()
        tokens = tokenize.generate_tokens(io.StringIO(text).readline)
        self.comments = {
            token.start[0]: token.string.lstrip("# ") for token in tokens if token.type == tokenize.COMMENT
        }

    def is_comment(self, line: int) -> bool:
        return self.lines[line - 1].lstrip().startswith("#")

    def title(self, line: int) -> str | None:
        text = self.comments.get(line, "")
        return text.strip("- ") if text.startswith("---") else None

    def above(self, line: int) -> str:
        """The comment that ends right above this line."""
        first = line
        while first > 1 and self.is_comment(first - 1) and self.title(first - 1) is None:
            first -= 1
        return " ".join(self.comments[number] for number in range(first, line))

    def statements(self, body: list[ast.stmt], meaning: str = "") -> Iterator[tuple[ast.stmt, str]]:
        """Statements that hold no others, and the header of those that do, each with what is said of it."""
        end = 0
        for statement in body:
            follows = end == statement.lineno - 1
            above = self.above(statement.lineno) or (meaning if follows else "")
            if isinstance(statement, ast.If):
                own = self.comments.get(statement.lineno, "") or above
                yield ast.Expr(statement.test, lineno=statement.lineno), own
                yield from self.statements(statement.body, above)
                yield from self.statements(statement.orelse, above)
            else:
                beside = [self.comments.get(line, "") for line in (statement.lineno, statement.end_lineno or 0)]
                yield statement, next((text for text in beside if text and "noqa" not in text), above)
            meaning, end = above, statement.end_lineno or 0


def sections() -> dict[str, list[Variable]]:
    found: dict[str, list[Variable]] = {}
    for source in (Source(path.read_text()) for path in SETTINGS):
        titles = {line: title for line in source.comments if (title := source.title(line))}
        for statement, meaning in source.statements(source.tree.body):
            for variable in variables(statement, meaning):
                title = titles[max(line for line in titles if line < statement.lineno)]
                found.setdefault(title, []).append(variable)
    return found


def variables(statement: ast.AST, meaning: str) -> Iterator[Variable]:
    if isinstance(statement, ast.Call):
        kind = ast.unparse(statement.func)
        if kind == "data_dir":
            yield Variable("DATA_DIR", "./data", meaning)
            return
        if kind == "secret":
            yield Variable(_name(statement), MADE, meaning)
            return
        if re.fullmatch(r"env\.\w+", kind):
            default = next((each.value for each in statement.keywords if each.arg == "default"), None)
            if default is not None:
                older = (
                    default if isinstance(default, ast.Call) and ast.unparse(default.func).startswith("env.") else None
                )
                formerly = _name(older) if older else ""
                if older:
                    [default] = [each.value for each in older.keywords if each.arg == "default"]
                yield Variable(_name(statement), _shown(default), meaning, formerly)
            return
    for child in ast.iter_child_nodes(statement):
        yield from variables(child, meaning)


def _name(call: ast.Call) -> str:
    assert isinstance(call.args[0], ast.Constant)
    return str(call.args[0].value)


def _shown(default: ast.expr) -> str:
    """A default as one would write it into the environment."""
    if isinstance(default, ast.JoinedStr):
        parts = [part.value for part in default.values if isinstance(part, ast.Constant | ast.FormattedValue)]
        return "".join(ast.unparse(part) if isinstance(part, ast.expr) else str(part) for part in parts)
    if any(isinstance(node, ast.Name) for node in ast.walk(default)):
        words = [node.value for node in ast.walk(default) if isinstance(node, ast.Constant)]
        return "/".join(map(str, reversed(words)))
    value = eval(compile(ast.Expression(default), "default", "eval"), {"__builtins__": {}})
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(f"{each:g}" if isinstance(each, float) else str(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def document() -> str:
    parts = [HEAD]
    for title, found in sections().items():
        rows = "\n".join(row_of(list(alike)) for _, alike in groupby(found, lambda each: each.meaning or each.name))
        parts.append(f"\n## {title}\n\n| variable | default | meaning |\n|---|---|---|\n{rows}\n")
    return "".join([*parts, TAIL])


if __name__ == "__main__":
    DOCUMENT.write_text(document())
