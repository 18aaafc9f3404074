"""Spoilt answers of file servers, Asterisks and phones: a result or a TransportError, in time, and nothing else.

`make fuzz` takes 60,000 of them; here are a few, the same each time. A failure says the seed that brings it back.
"""

import contextlib
import itertools
import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from contacts_app.core.errors import TransportError
from phones_app.transports.ftp.session import FtpSession, FtpTarget
from phones_app.transports.phone_web import PhoneWeb, read_status, read_streams
from phones_app.transports.restart.ami import AmiSession, AmiTarget
from phones_app.transports.restart.ami_check import check_account
from phones_app.transports.restart.asterisk import restart_sccp
from phones_app.transports.restart.cgi import execute
from phones_app.transports.restart.chan_sip import restart_chan_sip
from phones_app.transports.restart.pjsip import restart_pjsip
from phones_app.transports.restart.sip_notify import NotifyTarget, send_notify
from tests.fuzz.garbler import Garbler
from tests.peers import ftp
from tests.peers.asterisk import Asterisk, Contact
from tests.peers.asterisk_chan_sip import ChanSip, Peer
from tests.peers.asterisk_pjsip import Pjsip
from tests.peers.phone_web import DEVICE_8841, PhoneWebServer, streams
from tests.peers.sip_udp import sip_phone

ANSWERS = int(os.environ.get("FUZZ_ANSWERS", "400"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))
# Most of the time is spent waiting for what a spoilt answer has lost. The longest is for a machine that does much else.
SIDE_BY_SIDE, PATIENCE, LONGEST = 16, 0.2, 120.0
MAC, CALL_ID = "001122334455", "00112233-44550002-1b2c3d4e-5f607182@192.0.2.10"
Talk = Callable[[int], object]


@contextlib.contextmanager
def file_server(root: Path) -> Iterator[tuple[int, list[Talk]]]:
    numbers = itertools.count()

    def upload(port: int) -> object:
        target = FtpTarget(
            "127.0.0.1", port, "phones", "s3cret-pw", connect_timeout=PATIENCE, timeout=PATIENCE, deadline=2
        )
        with FtpSession(target) as session:
            return session.upload(f"SEP{next(numbers) % 8:012}.cnf.xml", b"<device/>" * 50, read_back=True)

    with ftp.pyftpd(root) as server:
        yield server.port, [upload]


@contextlib.contextmanager
def asterisk(root: Path) -> Iterator[tuple[int, list[Talk]]]:
    pbx = Asterisk(
        pjsip=Pjsip([Contact("1001", CALL_ID)]),
        chan_sip=ChanSip(peers=[Peer("5001", CALL_ID, device=f"SEP{MAC}")]),
        sccp_devices={f"SEP{MAC}": True},
    )

    def asked(ask: Callable[[AmiSession], object]) -> Talk:
        def talk(port: int) -> object:
            with AmiSession(AmiTarget("127.0.0.1", port, pbx.username, pbx.secret, timeout=PATIENCE)) as session:
                return ask(session)

        return talk

    with pbx.running():
        yield (
            pbx.port,
            [
                asked(lambda session: restart_pjsip(session, endpoint="1001", mac=MAC)),
                asked(lambda session: restart_chan_sip(session, peer="5001", mac=MAC)),
                asked(lambda session: restart_sccp(session, device_name=f"SEP{MAC}")),
                asked(lambda session: check_account(session, "pjsip")),
            ],
        )


@contextlib.contextmanager
def web_of_phone(root: Path) -> Iterator[tuple[int, list[Talk]]]:
    def web(port: int) -> PhoneWeb:
        return PhoneWeb("127.0.0.1", port, username="admin", password="push secret", timeout=PATIENCE)

    with PhoneWebServer(pages={"/DeviceInformationX": DEVICE_8841} | streams("Active")).running() as phone:
        yield (
            phone.port,
            [
                lambda port: read_status(web(port), timeout=PATIENCE),
                lambda port: read_streams(web(port), timeout=PATIENCE),
                lambda port: execute(web(port), "Init:Services"),
            ],
        )


@contextlib.contextmanager
def sip(root: Path) -> Iterator[tuple[int, list[Talk]]]:
    with sip_phone() as phone:
        yield phone.port, [lambda port: send_notify(NotifyTarget("127.0.0.1", port, user="1001"), timeout=PATIENCE)]


PEERS = {"ftp": file_server, "ami": asterisk, "http": web_of_phone, "sip": sip}


@pytest.mark.parametrize("kind", PEERS)
def test_spoilt_answers_are_results_or_transport_errors(kind, tmp_path):
    wanted = ANSWERS // len(PEERS)
    found: list[str] = []
    spoilt = 0
    counting = threading.Lock()

    def converse(talk: Talk, port: int, seed: int) -> None:
        nonlocal spoilt
        garbler = Garbler(port, seed)
        started = time.monotonic()
        with garbler.udp() if kind == "sip" else garbler.tcp():
            try:
                talk(garbler.port)
            except TransportError:
                pass
            except BaseException as error:
                found.append(f"seed {seed}: {error!r}")
        if time.monotonic() - started > LONGEST:
            found.append(f"seed {seed}: took {time.monotonic() - started:.1f} s")
        with counting:
            spoilt += garbler.spoilt

    with PEERS[kind](tmp_path) as (port, talks), ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
        seeds = itertools.count(SEED * 10**6)
        while spoilt < wanted and not found:
            some = [next(seeds) for _ in range(SIDE_BY_SIDE * 2)]
            list(threads.map(lambda seed: converse(random.Random(seed).choice(talks), port, seed), some))
    print(f"{kind}: {spoilt} spoilt answers")
    assert found == []
