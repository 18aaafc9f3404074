"""Running operator commands in tests: in this process through their own parser, or as processes of their own."""

import contextlib
import io
import json
import os
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management import get_commands, load_command_class
from django.core.management.base import CommandError

from tests import warm
from tests.servers import wait_for


@dataclass
class Ran:
    """How a command ended: its exit status and what it printed."""

    status: int
    out: str
    err: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What --json printed, a line each."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def row(self) -> dict[str, Any]:
        [row] = self.rows
        return row


class Terminal(io.StringIO):
    """What people see who type a command."""

    def isatty(self) -> bool:
        return True


def run(name: str, *arguments: object, terminal: bool = False, everywhere: bool = False) -> Ran:
    """Parse the arguments as on a command line and carry the command out on the database of the test.

    `terminal`: errors are seen by people, `everywhere`: what it prints is, too.
    """
    command = load_command_class(get_commands()[name], name)
    command._called_from_command_line = True
    out, err = Terminal() if everywhere else io.StringIO(), Terminal() if terminal or everywhere else io.StringIO()
    try:
        with contextlib.redirect_stderr(err):
            options = vars(command.create_parser("manage.py", name).parse_args([str(part) for part in arguments]))
            command.execute(**options, stdout=out, stderr=err)
    except CommandError as error:
        return Ran(error.returncode, out.getvalue(), f"{err.getvalue()}{error}\n")
    except SystemExit as end:
        return Ran(int(end.code or 0), out.getvalue(), err.getvalue())
    return Ran(0, out.getvalue(), err.getvalue())


def manage(*arguments: str, environment: dict[str, str], stdin: str = "", seconds: float = 180) -> Ran:
    """The same as a process of its own, to its end."""
    with tempfile.TemporaryDirectory() as folder:
        given, out, err = (Path(folder, name) for name in ("in", "out", "err"))
        given.write_text(stdin)
        command = [sys.executable, "manage.py", *arguments]
        process = warm.start(command, os.environ | environment, out, errors=err, given=given)
        try:
            status = process.wait(seconds)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return Ran(status, out.read_text(), err.read_text())


class Running:
    """A command that runs until it is told to stop."""

    def __init__(self, log: Path, *arguments: str, environment: dict[str, str]) -> None:
        self._log = log
        log.write_text("")
        self.process = warm.start([sys.executable, "manage.py", *arguments], os.environ | environment, log)

    @property
    def printed(self) -> str:
        return self._log.read_text()

    def says(self, text: str, seconds: float = 180) -> str:
        """What it has printed as soon as this text is among it."""
        wait_for(lambda: text in self.printed or self.process.poll() is not None, seconds)
        assert text in self.printed, self.printed
        return self.printed

    def stop(self, number: signal.Signals = signal.SIGTERM, seconds: float = 180) -> int:
        self.process.send_signal(number)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """kill -9 of the process and all that it has started, if there is any left."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
