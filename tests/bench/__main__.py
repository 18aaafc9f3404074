"""`python -m tests.bench [push|deploy|csv_import …]`: measure, beside a peer where there is one, and print a table."""

import os
import signal
import sys

import tests.environment  # noqa: F401 - before Django reads its settings

os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"

BENCHES = (
    "push",
    "deploy",
    "deliveries",
    "csv_import",
    "lists",
    "rollout",
    "requests",
    "restarts",
    "backup",
    "mobility",
    "render",
    "configuration",
    "admission",
    "calls",
    "messages",
    "adopt",
    "boot",
)


def main(names: list[str]) -> int:
    from importlib import import_module

    from rich.console import Console
    from rich.table import Table

    if unknown := set(names) - set(BENCHES):
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(BENCHES)}")
    for name in names or BENCHES:
        bench = import_module(f"tests.bench.{name}")
        table = Table("what", "figure", title=bench.__doc__.splitlines()[0])
        for what, figure in bench.measure():
            table.add_row(what, figure)
        Console().print(table)
    return 0


if __name__ == "__main__":
    # Ended from outside it still ends the servers that it has started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
