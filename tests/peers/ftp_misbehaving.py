"""FTP servers as they are met in the field: silent, dying, full, refusing, lying, in slow motion.

Each is a handler class for `pyftpd(root, handler=…)`.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyftpdlib.filesystems import AbstractedFS
from pyftpdlib.handlers import DTPHandler, FTPHandler, ThrottledDTPHandler

# What a server does at a command: given the handler, the command's argument (a path of this machine where
# it names a file) and what a sound server would do.
Behaviour = Callable[[Any, str, Callable[[], Any]], Any]


def misbehaving(**behaviours: Behaviour) -> type:
    """Return a handler that behaves as told at these commands, for example `misbehaving(STOR=silent)`."""

    def method(command: str, behaviour: Behaviour) -> Callable[..., Any]:
        sound = getattr(FTPHandler, f"ftp_{command}")
        return lambda self, argument, *rest: behaviour(self, argument, lambda: sound(self, argument, *rest))

    methods = {f"ftp_{command}": method(command, each) for command, each in behaviours.items()}
    return type("Misbehaving", (FTPHandler,), methods)


def silent(handler: Any, argument: str, proceed: Callable[[], Any]) -> None:
    """Never answer."""


def hangs_up(handler: Any, argument: str, proceed: Callable[[], Any]) -> None:
    handler.close()


def does_it_and_hangs_up(handler: Any, argument: str, proceed: Callable[[], Any]) -> None:
    handler.respond = lambda *_: None
    proceed()
    handler.close()


def answers(answer: str) -> Behaviour:
    """Give this answer instead of doing anything."""
    return lambda handler, argument, proceed: handler.respond(answer)


def answers_if(condition: Callable[[str], bool], answer: str) -> Behaviour:
    """Give this answer where the condition holds for the command's argument, else do as told."""

    def behave(handler: Any, argument: str, proceed: Callable[[], Any]) -> Any:
        return handler.respond(answer) if condition(argument) else proceed()

    return behave


class LosesWhatComesEarly(FTPHandler):
    """Forgets commands that came together with the one before them."""

    def found_terminator(self) -> None:
        self.ac_in_buffer = b""
        super().found_terminator()


def loses_what_follows(handler: Any, argument: str, proceed: Callable[[], Any]) -> Any:
    """Do as told, and forget the commands that came together with this one."""
    handler.ac_in_buffer = b""
    return proceed()


# Servers on Windows do not rename over a file that is there.
renames_over_nothing = answers_if(os.path.lexists, "553 File exists.")


class SlowMotion(FTPHandler):
    """Sends every answer one character at a time."""

    pause = 0.05
    _unsent = ""

    def push(self, data: str) -> None:
        idle = not self._unsent
        self._unsent += data
        if idle:
            self._tick()

    def _tick(self) -> None:
        if self._closed:
            return
        super().push(self._unsent[0])
        self._unsent = self._unsent[1:]
        if self._unsent:
            self.ioloop.call_later(self.pause, self._tick)


class SlowData(FTPHandler):
    """Sends and takes some forty bytes a second."""

    dtp_handler = type(
        "SlowDTP", (ThrottledDTPHandler,), {"read_limit": 40, "write_limit": 40, "ac_in_buffer_size": 10}
    )


class FullDisk(FTPHandler):
    """Takes the content and then finds no room for it."""

    class abstracted_fs(AbstractedFS):
        def open(self, filename: str, mode: str) -> Any:
            # Unbuffered, so that the device says at once that it is full.
            return Path("/dev/full").open(mode, buffering=0) if "w" in mode else super().open(filename, mode)


class ClosesInTheMiddle(FTPHandler):
    """Dies with the first piece of content in hand."""

    class dtp_handler(DTPHandler):
        def handle_read(self) -> None:
            super().handle_read()
            self.cmd_channel.close()

        handle_read_event = handle_read


class LosesTheEnd(FTPHandler):
    """Stores all but the last byte, and says that all is well."""

    class dtp_handler(DTPHandler):
        def recv(self, size: int) -> bytes:
            return bytes(super().recv(size)[:-1])


class Corrupts(FTPHandler):
    """Stores as many bytes as it got, but others."""

    class dtp_handler(DTPHandler):
        def recv(self, size: int) -> bytes:
            return bytes(super().recv(size).swapcase())
