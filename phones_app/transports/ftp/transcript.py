"""What was said on an FTP connection, kept as evidence."""

from contacts_app.core.errors import Exchange


class Transcript:
    """Commands and answers for the evidence: bounded, without the password, and never with file contents."""

    MAX_LINES = 120
    MAX_LINE = 300

    def __init__(self, password: str) -> None:
        self._password = password
        self._commands: list[str] = []
        self._answers: list[str] = []
        self._after_password = False

    def asked(self, line: str) -> None:
        self._after_password = line[:5].upper() == "PASS "
        self._append(self._commands, "PASS ********" if self._after_password else line)

    def answered(self, line: str) -> str:
        """Note a line and return it without the password, which a server may echo."""
        if self._after_password and self._password:
            line = line.replace(self._password, "********")
        self._append(self._answers, line)
        return line

    def so_far(self) -> Exchange:
        """Return what was said since the last `take`."""
        return Exchange("\n".join(self._commands), "\n".join(self._answers))

    def take(self) -> Exchange:
        """Return what was said since the last time, and start anew."""
        taken = self.so_far()
        self._commands, self._answers = [], []
        return taken

    def _append(self, lines: list[str], line: str) -> None:
        lines.append(line[: self.MAX_LINE])
        if len(lines) > self.MAX_LINES:  # how it began and how it ended tell more than the middle
            del lines[self.MAX_LINES // 2]
            lines[self.MAX_LINES // 2] = "…"
