"""What operator commands have in common: tables or JSON lines, one line for an error, exit statuses."""

import json
import signal
import sys
import threading
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, TypeVar

import structlog
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, connection, transaction
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from contacts_app.core.actor import Actor, acting, system
from contacts_app.core.errors import Refusal
from contacts_app.core.secrets import SecretUnreadable

log = structlog.get_logger(__name__)
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130  # as shells have it: 128 and the number of SIGINT
# Where nobody looks, nothing is cut off to fit.
WIDTH_WITHOUT_TERMINAL = 400

Row = Mapping[str, object]
Add = Callable[..., Any]
T = TypeVar("T")


class ReportingCommand(BaseCommand):
    """Ends with status 0 (done), 1 (failed, or some of it failed) or 2 (wrong usage).

    `columns` maps the keys of a row to the headings of the table; JSON lines hold whole rows. `writes` is
    False for commands that change and send nothing, which have no --dry-run therefore.
    """

    columns: Mapping[str, str] = {}
    writes = True
    # False for those that `serve` starts, which says it itself.
    says_where = True
    # An operator must be able to work while some other part is misconfigured; `check` is its own command.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", dest="as_json", help="One JSON object per line.")
        if self.writes:
            text = "Say what would be done, and do nothing."
            parser.add_argument("--dry-run", action="store_true", help=text)
        self.arguments(parser.add_argument)

    def arguments(self, add: Add) -> None:
        """The command's own arguments; `add` is `add_argument` of its parser."""

    def execute(self, *args: Any, **options: Any) -> str | None:
        self.as_json = bool(options.get("as_json"))
        # For people: with another DATA_DIR than that of `make run`, a command works on another portal.
        if self.says_where and sys.stderr.isatty() and not self.as_json:
            sys.stderr.write(f"{where_data_is()}.\n")
        try:
            with acting(self.actor, reason=f"manage.py {type(self).__module__.rpartition('.')[2]}"):
                return super().execute(*args, **options)
        except CommandError:
            raise
        except KeyboardInterrupt:
            raise CommandError("Interrupted.", returncode=EXIT_INTERRUPTED) from None
        except ValidationError as error:
            raise CommandError(" ".join(self._sentences(error))) from error
        except DatabaseError as error:
            text = str(error).splitlines()[0]
            unmigrated = "no such table" in text or "does not exist" in text
            hint = (
                f" {where_data_is()}. Is that the portal you mean? If so, run `manage.py migrate`."
                if unmigrated
                else ""
            )
            raise CommandError(f"The database says: {text}.{hint}") from error
        except (SecretUnreadable, Refusal) as error:
            raise CommandError(str(error)) from error

    @property
    def actor(self) -> Actor:
        return system("command")

    def report(self, rows: Iterable[Row], columns: Mapping[str, str] | None = None) -> None:
        """Print rows: all of each as JSON, or a table of `columns` (those of the command when None)."""
        if self.as_json:
            for row in rows:
                self.stdout.write(json.dumps(dict(row), cls=DjangoJSONEncoder, ensure_ascii=False))
            return
        columns = self.columns if columns is None else columns
        table = Table(*columns.values())
        for row in rows:
            table.add_row(*(_cell(row.get(key)) for key in columns))
        console = Console(width=None if self.stdout.isatty() else WIDTH_WITHOUT_TERMINAL)
        with console.capture() as captured:
            console.print(table)
        self.stdout.write(captured.get(), ending="")

    def report_row(self, **row: object) -> None:
        self.report([row])

    def report_secret(self, name: str, secret: str | None, /, **row: object) -> None:
        """A row with a secret that is shown this once: beside the table, as its last line, whole at any width."""
        self.report([{name: secret, **row} if self.as_json else row])
        if secret is not None and not self.as_json:
            self.stdout.write(f"The {name}, which is not shown again:\n{secret}")

    def announce(self, name: str, text: str) -> None:
        """What a process that runs on tells: a line on the terminal of `serve`, or with LOG_JSON one of its log."""
        if not self.as_json:
            announce(self.stdout, name, text)

    def say(self, text: str) -> None:
        """A sentence for people; programs that read JSON do not get it."""
        if not self.as_json:
            self.stdout.write(text)
            self.stdout.flush()

    @contextmanager
    def progress(self, total: int | None = None) -> Iterator[Callable[[str, float], None]]:
        """A bar for people who watch: call it with what is being done and how much of it is done: so many of `total`,
        or a part from 0 to 1.
        """
        console = Console(stderr=True)
        counted = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
        columns = Progress.get_default_columns() if total is None else counted
        silent = self.as_json or not console.is_terminal
        with Progress(*columns, console=console, transient=True, disable=silent) as bar:
            task = bar.add_task("", total=1.0 if total is None else total)
            yield lambda doing, done: bar.update(task, description=doing, completed=done)

    @staticmethod
    def undo(dry_run: bool) -> None:
        """Within `transaction.atomic()`: nothing of it stays when this is a dry run."""
        if dry_run:
            transaction.set_rollback(True)

    @staticmethod
    def _sentences(error: ValidationError) -> list[str]:
        if not hasattr(error, "error_dict"):
            return list(error.messages)
        return [f"{field}: {text}" for field, texts in error.message_dict.items() for text in texts]


def announce(out: Any, name: str, text: str) -> None:
    """A line of a process of `serve`; with LOG_JSON it is one of its log."""
    if settings.LOG_JSON:
        log.info(text, process=name)
        return
    out.write(f"{name:<9} {text}")
    out.flush()


def where_data_is() -> str:
    """Which portal a command works on."""
    database = settings.DATABASES["default"]
    if connection.vendor == "sqlite":
        return f"The data folder is {settings.DATA_DIR} (DATA_DIR)"
    return f"The database is {database['NAME']} on {database['HOST'] or 'this machine'} (DATABASE_URL)"


class UsageError(CommandError):
    """The arguments make no sense together."""

    def __init__(self, message: str) -> None:
        super().__init__(message, returncode=EXIT_USAGE)


def argument(convert: Callable[[str], T]) -> Callable[[str], T]:
    """An argument type whose ValueError or ValidationError is told as wrong usage, in its own words."""

    def converted(text: str) -> T:
        try:
            return convert(text)
        except ValidationError as error:
            raise ArgumentTypeError(" ".join(error.messages)) from None
        except ValueError as error:
            raise ArgumentTypeError(str(error)) from None

    return converted


def positive(convert: Callable[[str], T], *, at_most: float, or_zero: bool = False) -> Callable[[str], T]:
    """An argument type for numbers above zero; `or_zero`: or none of it."""

    def converted(text: str) -> T:
        try:
            number = convert(text)
        except ValueError:
            raise ValueError(f"“{text}” is not a number") from None
        if not (0 < number <= at_most or (or_zero and number == 0)):  # type: ignore[operator]
            raise ValueError(f"{text} is not {'from 0 to' if or_zero else 'above 0 and at most'} {at_most:g}")
        return number

    return argument(converted)


# What a column of whole numbers holds at most.
NUMBER = positive(int, at_most=2**63 - 1)


def headings(*same: str, **others: str) -> dict[str, str]:
    """The columns of a table: keys of its rows that are their own headings, then keys with other ones."""
    return {key: key.replace("_", " ").capitalize() for key in same} | others


@contextmanager
def until_stopped() -> Iterator[threading.Event]:
    """An event that SIGTERM and Ctrl-C set; both do again afterwards what they did before."""
    stopping = threading.Event()
    before = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cell(value: object) -> Text:
    # Text, because what a phone or a server said may hold square brackets, which rich would take for markup.
    if value is None or value == "":
        return Text("–")
    if isinstance(value, bool):
        return Text("yes" if value else "no")
    if isinstance(value, datetime):
        return Text(f"{value:%Y-%m-%d %H:%M:%S}")
    if isinstance(value, list | tuple | set):
        return Text(", ".join(map(str, value)))
    return Text(str(value))
