"""1,000 distinct files of 10 KB onto a real FTP server (vsftpd): our uploads next to lftp.

Ours: two connections, each file stored under a temporary name, its size checked, renamed. lftp: `mirror -R` with four
parallel connections and no such care. In turn, three rounds, each into an empty folder; the ratio is that of each round.
"""

import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from phones_app.transports.ftp import FtpTarget
from phones_app.transports.ftp_pool import FtpPool
from tests.peers.ftp import Server, vsftpd

FILES, SIZE, ROUNDS = 1000, 10_000, 3


def measure() -> Iterator[tuple[str, str]]:
    if shutil.which("lftp") is None:
        yield "lftp is not installed", "not measured"
        return
    contents = {f"SEP{number:012X}.cnf.xml": os.urandom(SIZE) for number in range(FILES)}
    ours, peer = [], []
    with tempfile.TemporaryDirectory() as source:
        for name, content in contents.items():
            Path(source, name).write_bytes(content)
        for _ in range(ROUNDS):
            with vsftpd() as server:
                ours.append(FILES / _push(server, contents))
            with vsftpd() as server:
                peer.append(FILES / _mirror(server, Path(source)))
    ratios = [mine / other for mine, other in zip(ours, peer, strict=True)]
    yield "Patchbay, pool of 2", f"{statistics.median(ours):.0f} files/s"
    yield "lftp mirror -R --parallel=4", f"{statistics.median(peer):.0f} files/s"
    yield "ratio per round", ", ".join(f"{ratio:.2f}" for ratio in ratios)


def _push(server: Server, contents: dict[str, bytes]) -> float:
    target = FtpTarget(server.host, server.port, server.username, server.password)
    pool = FtpPool()

    def upload(name: str) -> None:
        with pool.session(target) as session:
            session.upload(name, contents[name])

    started = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(upload, contents))
    seconds = time.monotonic() - started
    pool.close()
    return seconds


def _mirror(server: Server, source: Path) -> float:
    script = f"set ftp:ssl-allow no; mirror -R --parallel=4 {source} .; bye"
    started = time.monotonic()
    url = f"ftp://{server.username}:{server.password}@{server.host}:{server.port}"
    subprocess.run(["lftp", "-e", script, url], check=True, stdout=subprocess.DEVNULL)
    return time.monotonic() - started
