"""One connection to the manager interface of the test PBX: blocks of lines in, blocks of lines out."""

import socket
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

Pairs = list[tuple[str, str]]


class AmiConnection:
    """`pbx` is the Asterisk that it leads to, and `action_id` that of the request that is being answered."""

    def __init__(self, pbx: Any, connection: socket.socket) -> None:
        self.pbx, self.connection = pbx, connection
        self.challenge = self.action_id = ""
        self.authenticated = False
        self.pairs: Pairs = []

    def run(self) -> None:
        self.connection.sendall(self.pbx.greeting)
        pairs: Pairs = []
        for line in self.connection.makefile("rb"):
            key, _, value = line.decode().strip().partition(": ")
            if key:
                pairs.append((key.rstrip(":"), value))
                continue
            self.pbx.actions.append(pairs)
            self._answer(pairs)
            pairs = []

    def _answer(self, pairs: Pairs) -> None:
        self.pairs = pairs
        asked = {key.lower(): value for key, value in pairs}
        name, self.action_id = asked["action"], asked.get("actionid", "")
        if name == self.pbx.mute_on:
            return
        action = self.pbx.action(name)
        if action is None:
            text = f"Invalid/unknown command: {name}. Use Action: ListCommands to show available commands."
            self.respond("Error", text)
        elif not (self.authenticated or name.lower() in ("challenge", "login")) or not self.pbx.permits(action):
            self.respond("Error", "Permission denied")
        else:
            action.answer(self, asked)

    def send(self, *blocks: Sequence[tuple[str, str]]) -> None:
        # An ActionID comes back only if there was one.
        kept = ([pair for pair in block if pair != ("ActionID", "")] for block in blocks)
        data = "".join("".join(f"{k}: {v}\r\n" for k, v in block) + "\r\n" for block in kept).encode()
        if not self.pbx.drip:
            self.connection.sendall(data)
            return
        for byte in data:
            self.connection.sendall(bytes([byte]))
            time.sleep(self.pbx.drip)

    def respond(self, response: str, message: str, *more: tuple[str, str]) -> None:
        self.send([("Response", response), ("ActionID", self.action_id), ("Message", message), *more])

    def respond_list(self, message: str, events: Sequence[Pairs], complete: str) -> None:
        """A response that announces a list, its events, and the event that ends it."""
        identity = ("ActionID", self.action_id)
        start: Pairs = [("Response", "Success"), identity, ("EventList", "start"), ("Message", message)]
        end: Pairs = [("Event", complete), identity, ("EventList", "Complete"), ("ListItems", str(len(events)))]
        self.send(start, *([event[0], identity, *event[1:]] for event in events), end)


@dataclass(frozen=True)
class Action:
    """`module` is what has to be loaded for it, one of `rights` what the account needs; none: any account may."""

    name: str
    module: str
    rights: tuple[str, ...]
    does: str
    answer: Callable[[AmiConnection, dict[str, str]], None]
