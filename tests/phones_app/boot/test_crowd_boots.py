"""Hundreds of phones start at the same moment, as after a power cut: all get all that there is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from phones_app.boot.server import EmbeddedFileServer
from tests.bench.boot_phones import NAMES, mac_of
from tests.phones_app.simulator.conftest import FetchLog

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize(("connections", "phones"), [("kept", 300), ("new", 100)])
def test_hundreds_of_phones_boot_at_once(
    connections: str, phones: int, file_server: EmbeddedFileServer, fetch_log: FetchLog
) -> None:
    (file_server.root / "United_Kingdom").mkdir()
    for name, size in NAMES:
        for number in range(phones if "{mac}" in name else 1):
            if size is not None:
                (file_server.root / name.format(mac=mac_of(number))).write_bytes(os.urandom(size))
    crowd = (sys.executable, "-m", "tests.bench.boot_phones", str(file_server.http_port), str(phones), connections)
    figures = json.loads(subprocess.run(crowd, cwd=ROOT, check=True, capture_output=True, timeout=300).stdout)
    assert (figures["requests"], figures["wrong"]) == (phones * len(NAMES), 0), figures
    fetches = fetch_log.wait_for(lambda fetches: len(fetches) == phones * len(NAMES))
    own = {fetch.file_name for fetch in fetches if fetch.complete and fetch.file_name.startswith("SEP")}
    assert own == {f"SEP{mac_of(number)}.cnf.xml" for number in range(phones)}
    assert sum(fetch.missing for fetch in fetches) == phones * sum(size is None for _, size in NAMES)
