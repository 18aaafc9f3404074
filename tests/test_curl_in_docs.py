"""docs/integrate: every command of every page is run against a live portal, and answers what the page says.

A block of `sh` is run; the block of `json` or `text` after it is what it prints, with … for what differs each time.
`WRITE_ANSWERS=1` writes the answers into the pages.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from contacts_app.tokens.services import create_token
from profiles_app.numbers.models import StockNumber
from profiles_app.numbers.services import save_stock_number
from tests.peers.http_receiver import Receiver

PAGES = sorted(
    path for path in Path(__file__).parents[1].joinpath("docs/integrate").glob("*.md") if path.stem != "index"
)
BLOCK = re.compile(r"^```(sh|json|text)\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
BETWEEN = "\x1e"
# What no two runs have in common.
CHANGING = [
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d[^\"\s]*",
    r"eyJ[\w.-]+",
    r"pb_\w+",
    r"http://(127\.0\.0\.1|localhost):\d+(/events)?",
    r'(?<="id": )"?\d+"?',
    r'(?<=_at": )\d+',
    r'(?<=_id": )[1-9]\d*',
    r"(?<=/)\d+(?=[\s/])",
    r'(?<="sha256": ")\w+',
    r'(?<=_secret": ")\w+',
    r'(?<=_ns":)\s*\d+',
]

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="needs curl and jq"),
]


@dataclass
class Step:
    command: str
    answer: str | None
    start: int = 0
    end: int = 0


def steps_of(text: str) -> list[Step]:
    steps: list[Step] = []
    for block in BLOCK.finditer(text):
        kind, inside = block.groups()
        if kind == "sh":
            steps.append(Step(inside, None))
        elif steps and steps[-1].answer is None:
            steps[-1].answer, steps[-1].start, steps[-1].end = inside, block.start(2), block.end(2)
    return steps


def told(said: str) -> str:
    """As a page shows it."""
    for changing in CHANGING:
        said = re.sub(changing, "…", said)
    return said


def pretty(said: str) -> str:
    try:
        found = json.loads(said)
    except ValueError:
        return said.replace("\r", "").strip() + "\n"
    short = json.dumps(found, ensure_ascii=False)
    return (short if len(short) <= 120 else json.dumps(found, ensure_ascii=False, indent=2)) + "\n"


def matches(answer: str, said: str) -> bool:
    pieces = [re.escape(re.sub(r"\s+", "", piece)) for piece in answer.split("…")]
    return re.fullmatch(".*".join(pieces), re.sub(r"\s+", "", pretty(said))) is not None


@pytest.fixture
def receiver():
    with Receiver().running() as receiver:
        yield receiver


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_the_page_says_is_answered(page, live_server, alice, acme, other, receiver, settings, tmp_path):
    settings.CALLBACK_NETWORKS = "127.0.0.0/8"
    save_stock_number(StockNumber(tn=12025550101))
    text = page.read_text(encoding="utf-8")
    steps = steps_of(text)
    environment = {
        "PATH": os.environ["PATH"],
        "PATCHBAY": live_server.url,
        "TOKEN": create_token(account=acme, name="docs")[1],
        "STAFF_TOKEN": create_token(read_only=True, expires_at=timezone.now() + timedelta(days=1))[1],
        "USERNAME": alice.email,
        "PASSWORD": "correct horse",
        "HOOK": receiver.url,
    }
    script = "set -eu -o pipefail\n" + f"printf '{BETWEEN}'\n".join(step.command for step in steps)
    ran = subprocess.run(
        ["bash", "-c", script], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    answers = ran.stdout.split(BETWEEN)
    assert len(answers) == len(steps)
    if os.environ.get("WRITE_ANSWERS"):
        for step, said in reversed(list(zip(steps, answers, strict=True))):
            if step.answer is not None:
                text = text[: step.start] + told(pretty(said)) + text[step.end :]
        page.write_text(text, encoding="utf-8")
        return
    for step, said in zip(steps, answers, strict=True):
        assert step.answer is None or matches(step.answer, said), f"{step.command}\n{pretty(said)}"
