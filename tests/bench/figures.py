"""What a benchmark yields: one figure of ours or of a peer, of every round, and what it is compared with.

A peer is yielded before what is compared with it. A rate ("files/s") is better the higher it is, everything else the
lower. Ratios say how good ours is, as a part of the peer: 0.5 is half as fast, or twice as long.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import Any


def is_rate(unit: str) -> bool:
    return unit.endswith(("/s", "a minute"))


@dataclass(frozen=True)
class Figure:
    name: str
    rounds: list[float] = field(default_factory=list)
    unit: str = ""
    # The name of the peer's figure, of as many rounds.
    of: str = ""
    # Milliseconds of processor time for each file, request, row, in each round.
    processor: list[float] = field(default_factory=list)
    # At least (a rate, a ratio) or at most (anything else).
    goal: float | None = None
    goal_ratio: float | None = None
    # What is no number, or why nothing was measured.
    said: str = ""
    # Figures of a group that follow one another are one row of the page: the least, the most, and what took longest.
    group: str = ""

    @property
    def median(self) -> float:
        return median(self.rounds)

    @property
    def peer(self) -> str:
        """Its name, without what both have before a colon."""
        subject, colon, name = self.of.partition(": ")
        return name if colon and self.name.startswith(f"{subject}: ") else self.of

    def ratios(self, peer: "Figure") -> list[float]:
        """Of each round, by the clock."""
        pairs = zip(self.rounds, peer.rounds, strict=True)
        return [mine / other if is_rate(self.unit) else other / mine for mine, other in pairs]

    def processor_ratio(self, peer: "Figure") -> float | None:
        """By processor time: says more where other programs use the machine too."""
        return median(peer.processor) / median(self.processor) if self.processor and peer.processor else None

    def reached(self, peer: "Figure | None") -> bool | None:
        """Whether its goals are, or None where it has none or was not measured."""
        if not self.rounds or (self.goal is None and self.goal_ratio is None):
            return None
        good = True
        if self.goal is not None:
            good = self.median >= self.goal if is_rate(self.unit) else self.median <= self.goal
        if self.goal_ratio is not None:
            if peer is None or not peer.rounds:
                return None
            good = good and median(self.ratios(peer)) >= self.goal_ratio
        return good

    @property
    def goals(self) -> str:
        said = []
        if self.goal is not None:
            said.append(f"{'≥' if is_rate(self.unit) else '≤'} {number(self.goal)} {self.unit}")
        if self.goal_ratio is not None:
            said.append(f"≥ {number(self.goal_ratio)} of {self.peer}")
        return ", ".join(said)


def peers(figures: Iterable[Figure]) -> dict[str, Figure]:
    return {figure.name: figure for figure in figures}


def figure_from(row: dict[str, Any]) -> Figure:
    return Figure(**row)


def compact(figure: Figure) -> dict[str, Any]:
    """As it is written down: without what is empty, and no more digits than a measurement has."""
    row = {name: value for name, value in vars(figure).items() if value not in ("", None, [])}
    for name in ("rounds", "processor"):
        if name in row:
            row[name] = [float(f"{value:.4g}") for value in row[name]]
    return row


def number(value: float) -> str:
    """Three digits, as a person writes them."""
    if value == 0:
        return "0"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
