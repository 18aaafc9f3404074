"""What each test costs in seconds of processor, with the processes that it has started: said at the end of a run that
asks for it by COST=1, the dearest first, then by folder.

Unlike a duration it is about the same on a busy machine as on a quiet one. Not in it: servers that all tests share.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import PurePath
from typing import Any

import pytest

from tests import warm

SHOWN = 40
PROPERTY = "seconds of processor"


def _so_far() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system + warm.spent()


class Meter:
    """In the process that runs the tests: each report says what was spent since the one before."""

    def __init__(self) -> None:
        self._before = _so_far()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[None]:
        report: Any = yield
        now = _so_far()
        report.user_properties.append((PROPERTY, now - self._before))
        self._before = now
        return report


class Bill:
    """In the process that is looked at: adds up what the others report."""

    def __init__(self) -> None:
        self._tests: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._tests[report.nodeid] += dict(report.user_properties).get(PROPERTY, 0)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        folders: Counter[str] = Counter()
        for name, seconds in self._tests.items():
            folders["/".join(PurePath(name.partition("::")[0]).parts[:3])] += seconds
        for title, costs in (("test", self._tests), ("folder", folders)):
            terminalreporter.section(f"seconds of processor by {title}, {sum(costs.values()):.0f} together")
            for name, seconds in costs.most_common(SHOWN):
                terminalreporter.write_line(f"{seconds:7.2f} {name}")


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("COST") == "1":
        config.pluginmanager.register(Meter())
        if not hasattr(config, "workerinput"):
            config.pluginmanager.register(Bill())
