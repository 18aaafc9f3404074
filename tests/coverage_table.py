"""Coverage by subject, as the table of docs/coverage.md: the JSON report of coverage on stdin, Markdown on stdout."""

import json
import sys
from collections import Counter
from pathlib import PurePath
from typing import Any

HEAD = """# Coverage

What `make test` runs through, on both databases and in all processes, in percent of lines and of branches. Measured by
`make coverage`, which writes this page; no number is enforced. A process that a test kills loses what it has counted.

| subject | lines | lines run | branches run |
|---|---:|---:|---:|"""
COUNTED = ("num_statements", "covered_lines", "num_branches", "covered_branches")


def subject(path: str) -> str:
    """The folder below the app; what lies in the app itself is the app's."""
    parts = PurePath(path).parts
    return "/".join(parts[:2]) if len(parts) > 2 else parts[0]


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} %" if whole else "–"


def table(report: dict[str, Any]) -> str:
    sums: dict[str, Counter[str]] = {}
    for path, file in report["files"].items():
        of = sums.setdefault(subject(path), Counter())
        of.update({name: file["summary"][name] for name in COUNTED})
    sums = dict(sorted(sums.items())) | {"**all**": sum(sums.values(), Counter())}
    rows = [
        f"| {name} | {of['num_statements']} | {percent(of['covered_lines'], of['num_statements'])} "
        f"| {percent(of['covered_branches'], of['num_branches'])} |"
        for name, of in sums.items()
    ]
    return "\n".join([HEAD, *rows])


if __name__ == "__main__":
    print(table(json.load(sys.stdin)))
