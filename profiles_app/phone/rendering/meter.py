"""What one rendering may use: work, time and space (configuration spec §1.2).

Templates come from people of any account. Work is counted where it is done, in units of about one character: each turn of
a loop, each call, each text and list that is made spends some. So a template that does too much is refused at the
same place on every machine. Time is the second fence, for work that is slower than was thought; it is the thread's own
processor time, which other threads and a busy machine do not use up. No signal is needed, so it works in any thread.
"""

from __future__ import annotations

from contextvars import ContextVar
from time import thread_time

from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.sep.document import MAX_BYTES

UNITS = 8_000_000
SECONDS = 2.0
# What a simple operation and an element of a list cost, by their time and memory next to those of a character.
STEP = 8
ELEMENT = 64
# The longest text and list.
MAX_TEXT = MAX_BYTES
MAX_ELEMENTS = 20_000
# Macros that call one another.
MAX_DEPTH = 40
# The clock is asked after so many units, a millisecond or two of work.
_INTERVAL = 20_000


class Meter:
    """One rendering's account, and its remarks."""

    def __init__(self) -> None:
        self.left = UNITS
        self.depth = 0
        self._next_look = UNITS
        self._started = thread_time()
        self._remarks: dict[str, None] = {}

    def spend(self, units: int) -> None:
        self.left -= units
        if self.left < self._next_look:
            self._look()

    def _look(self) -> None:
        if self.left < 0:
            raise RenderRefused(
                "too-much-work", "the template does too much: too many turns of its loops, or long texts"
            )
        if thread_time() - self._started > SECONDS:
            raise RenderRefused("too-slow", f"the template takes more than {SECONDS:.0f} seconds of processor time")
        self._next_look = max(self.left - _INTERVAL, 0)

    def text(self, length: int) -> None:
        """Spend what a text of this length costs, before it is made."""
        if length > MAX_TEXT:
            raise RenderRefused("too-large", f"a text has more than {MAX_TEXT // 1024} KB")
        self.spend(length)

    def elements(self, number: int) -> None:
        """Spend what a list of so many elements costs."""
        if number > MAX_ELEMENTS:
            raise RenderRefused("too-large", f"a list has more than {MAX_ELEMENTS:,} elements")
        self.spend(number * ELEMENT)

    def remark(self, text: str) -> None:
        self._remarks[text] = None

    @property
    def remarks(self) -> tuple[str, ...]:
        return tuple(self._remarks)


# Of the rendering that runs in this thread. Macros of imported templates have contexts of their own, so a
# template's context cannot carry it.
CURRENT: ContextVar[Meter] = ContextVar("meter of a rendering")


def meter() -> Meter:
    return CURRENT.get()
