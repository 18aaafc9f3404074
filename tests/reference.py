"""`python -m tests.reference`: the pages of docs/reference that are made of the code: commands, events, errors, REST."""

import ast
import re
from argparse import SUPPRESS, Action, ArgumentParser, _SubParsersAction
from collections.abc import Callable, Iterator
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
APPS = ("contacts_app", "profiles_app", "phones_app")
MADE_OF = "This page is made of {} (`make reference`).\n"


def cell(text: object) -> str:
    """For a table; what looks like a tag is shown as it is."""
    return re.sub(r"\s+", " ", str(text)).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").strip()


def table(head: tuple[str, ...], rows: list[tuple[object, ...]]) -> Iterator[str]:
    yield f"\n| {' | '.join(head)} |\n{'|---' * len(head)}|\n"
    for row in rows:
        yield f"| {' | '.join(map(str, row))} |\n"


# --- Commands


def usage(action: Action) -> str:
    if isinstance(action.metavar, tuple):
        value = " ".join(action.metavar)
    else:
        choices = "|".join(map(str, action.choices)) if action.choices else ""
        value = "" if action.nargs == 0 else action.metavar or choices or action.dest.upper()
    if action.nargs in ("+", "*"):
        value += " …"
    return f"{', '.join(action.option_strings)} {value}".strip() if action.option_strings else value


def arguments(parser: ArgumentParser, common: set[str]) -> Iterator[str]:
    actions = [each for each in parser._actions if each.dest not in common and each.help != SUPPRESS]
    parts = [each for each in actions if isinstance(each, _SubParsersAction)]
    rows: list[tuple[object, ...]] = []
    for action in actions:
        if action in parts:
            continue
        words = [action.help % {**vars(action), "prog": parser.prog}] if action.help else []
        if action.choices and action.metavar:
            words.append(f"One of: {', '.join(map(str, action.choices))}.")
        if action.default not in (None, False, True, "", SUPPRESS) and "efault" not in " ".join(words):
            words.append(f"Default: {action.default}.")
        rows.append((f"`{usage(action).replace('|', chr(92) + '|')}`", cell(" ".join(words))))
    if rows:
        yield from table(("argument", "meaning"), rows)
    for action in parts:
        helps = {each.dest: each.help for each in action._choices_actions}
        for name, below in action.choices.items():
            yield f"\n### {parser.prog.rpartition('.py ')[2]} {name}\n\n{cell(helps.get(name) or '')}\n"
            yield from arguments(below, common)


def commands() -> Iterator[str]:
    from django.core.management import get_commands, load_command_class
    from django.core.management.base import BaseCommand

    from contacts_app.core.commands import ReportingCommand

    common = {each.dest for each in BaseCommand().create_parser("manage.py", "x")._actions}
    yield "# Commands\n\n`.venv/bin/python manage.py COMMAND`. " + MADE_OF.format("the commands' own descriptions")
    yield "\nA command ends with status 0 (done), 1 (failed, or some of it failed) or 2 (wrong usage). "
    yield "`--json` prints one JSON object on each line, `--dry-run` says what would be done and does nothing.\n"
    for name, app in sorted(get_commands().items()):
        if app not in APPS:
            continue
        command = load_command_class(str(app), name)
        yield f"\n## {name}\n\n{cell(command.help)}\n"
        shared = {"as_json", "dry_run"} if isinstance(command, ReportingCommand) else set()
        yield from arguments(command.create_parser("manage.py", name), common | shared)


# --- Events


def events() -> Iterator[str]:
    from contacts_app.core.tables import table as read
    from profiles_app.events import tags

    own = read(tags.__file__, "tags.toml")
    sources = {
        "Of the provider's schema and guide": own["published"],
        "Of the provider's guide alone": own["guide_only"],
        "Of Patchbay": [tag for tag in tags.TAGS if tag not in tags.DOCUMENTED],
    }
    yield "# Events\n\n" + MADE_OF.format(
        "`profiles_app/events/tags.toml`, `phones_app/events.toml` and what subjects register"
    )
    yield "\nWhat Patchbay's own events hold and when they are sent: [events](../events.md). How to receive them: "
    yield "[events with curl](../integrate/events.md).\n\n## Tags\n\nA subscription names tags of this list.\n"
    yield from table(
        ("where from", "tags"), [(said, ", ".join(f"`{tag}`" for tag in found)) for said, found in sources.items()]
    )
    phones = read(str(ROOT / "phones_app/events.py"), "events.toml")
    yield "\n## Notifications about phones\n\n"
    yield "What a contact can choose to be notified of, and what the mail says of each event.\n"
    classes = {each["name"]: each for each in phones["class"]}
    rows = []
    for tag, told in phones["told"].items():
        kind = classes[told["event_class"]]
        rows.append(
            (f"`{kind['name']}`", kind["label"], f"`{tag}`", cell(told["title"]), "over" if told.get("over") else "")
        )
    yield from table(("name over REST", "label", "event", "words", ""), sorted(rows))


# --- Errors


class Refusals(ast.NodeVisitor):
    """Codes and messages of what is raised in one file, and of the classes that it derives from those."""

    def __init__(self, tree: ast.Module, classes: set[str]) -> None:
        self.classes, self.found = classes, list[tuple[str, str]]()
        self.named = {
            target.id: node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
            for target in node.targets
            if isinstance(target, ast.Name)
        }
        self.derived = False
        self.visit(tree)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        before, self.derived = self.derived, any(getattr(base, "id", "") in self.classes for base in node.bases)
        self.generic_visit(node)
        self.derived = before

    def visit_Call(self, node: ast.Call) -> None:
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name in self.classes or (self.derived and ast.unparse(node.func) == "super().__init__"):
            code = self._text(node.args[0]) if node.args else ""
            if re.fullmatch(r"[a-z][a-z0-9_-]+", code):
                self.found.append((code.replace("_", "-"), self._text(node.args[1]) if len(node.args) > 1 else ""))
        self.generic_visit(node)

    def _text(self, node: ast.expr) -> str:
        if isinstance(node, ast.Constant):
            return str(node.value)
        if isinstance(node, ast.JoinedStr):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
        if isinstance(node, ast.Name) and node.id in self.named:
            return self._text(self.named[node.id])
        if isinstance(node, ast.BinOp):
            return self._text(node.left) + self._text(node.right)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            return re.sub(r"{.*?}", "…", self._text(node.func.value))
        return ""


@cache
def sources() -> dict[Path, str]:
    """Migrations raise nothing that a client hears of."""
    paths = (path for app in APPS for path in (ROOT / app).rglob("*.py") if "migrations" not in path.parts)
    return {path: path.read_text(encoding="utf-8") for path in sorted(paths)}


def with_derived(root: str) -> set[str]:
    """The class and all that derive from it, by name."""
    bases = {
        name: set(re.findall(r"\w+", above))
        for text in sources().values()
        for name, above in re.findall(r"^class (\w+)\((.*?)\):", text, re.MULTILINE)
    }
    found = {root}
    while below := {name for name, above in bases.items() if above & found} - found:
        found |= below
    return found


def refusals(root: str) -> dict[str, dict[str, list[str]]]:
    """By subject: codes of the class `root` and of all below it, each with its messages."""
    classes = with_derived(root)
    named = re.compile(rf"\b({'|'.join(classes)})\(")
    found: dict[str, dict[str, list[str]]] = {}
    for path, text in sources().items():
        if not named.search(text):
            continue
        app, subject, *_ = path.relative_to(ROOT).parts
        for code, message in Refusals(ast.parse(text), classes).found:
            messages = found.setdefault(f"{app}: {subject.removesuffix('.py')}", {}).setdefault(code, [])
            if message and message not in messages:
                messages.append(message)
    return found


def errors() -> Iterator[str]:
    from rest_framework import exceptions

    from contacts_app.core.api.dialect import BodyTooLarge, Conflict, Unavailable
    from contacts_app.core.api.preconditions import PreconditionFailed

    yield "# Error codes\n\n" + MADE_OF.format("what the code raises")
    yield '\n`code` in an error of `/api/v1`, `{"success": false, "code": …, "message": …}`, stays when words change. '
    yield "The other dialects say the same messages in their own shapes. In a message … stands for what it is about.\n"
    yield "\n## Of every request\n"
    general: list[type[exceptions.APIException]] = [
        *(exceptions.ValidationError, exceptions.ParseError, exceptions.NotAuthenticated),
        *(
            exceptions.AuthenticationFailed,
            exceptions.PermissionDenied,
            exceptions.NotFound,
            exceptions.MethodNotAllowed,
        ),
        *(exceptions.UnsupportedMediaType, exceptions.Throttled),
        *(BodyTooLarge, Conflict, PreconditionFailed, Unavailable),
    ]
    rows = [
        (each.status_code, f"`{str(each.default_code).replace('_', '-')}`", cell(each.default_detail))
        for each in general
    ]
    yield from table(("status", "code", "message"), sorted(rows))
    yield "\n## Refusals\n\nThe request is understood, and the present data forbid it: "
    yield "mostly status 409, or 400 where what was sent is wrong.\n"
    for subject, codes in refusals("Refusal").items():
        yield f"\n### {subject}\n"
        yield from table(
            ("code", "message"),
            [(f"`{code}`", " / ".join(map(cell, messages))) for code, messages in sorted(codes.items())],
        )
    yield "\n## Of files that are made\n\nWhy a template makes no file (`not-rendered` names the reason).\n"
    merged: dict[str, list[str]] = {}
    for codes in refusals("RenderRefused").values():
        for code, messages in codes.items():
            merged.setdefault(code, []).extend(messages)
    yield from table(
        ("code", "message"), [(f"`{code}`", " / ".join(map(cell, found))) for code, found in sorted(merged.items())]
    )
    yield "\n## Of deployments\n\n`error_code` of a deployment that failed, and what to do: "
    yield "[operations](../operations.md#what-each-error-means).\n"


# --- REST


def rest() -> Iterator[str]:
    import yaml

    with (ROOT / "docs/openapi.yaml").open(encoding="utf-8") as file:
        document: dict[str, Any] = yaml.load(file, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    yield "# REST\n\n" + MADE_OF.format("the [OpenAPI document](../openapi.yaml)")
    yield "\nEvery operation with parameters, bodies and examples: `/api/docs` of a running portal.\n"
    operations = [
        (operation["tags"][0], path, method.upper(), operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in ("get", "post", "put", "patch", "delete")
    ]
    for tag, found in groupby(sorted(operations, key=lambda each: each[:3]), key=lambda each: each[0]):
        yield f"\n## {tag}\n"
        rows: list[tuple[object, ...]] = []
        for _, path, method, operation in found:
            words = operation.get("summary") or str(operation.get("description", "")).partition("\n\n")[0]
            rows.append((f"`{method} {path}`", cell(words), f"`{operation['operationId']}`"))
        yield from table(("request", "what", "operation"), rows)


PAGES: dict[str, Callable[[], Iterator[str]]] = {"commands": commands, "events": events, "errors": errors, "rest": rest}


def document(name: str) -> str:
    return "".join(PAGES[name]())


if __name__ == "__main__":
    import os

    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    for page in PAGES:
        (FOLDER / f"{page}.md").write_text(document(page), encoding="utf-8")
