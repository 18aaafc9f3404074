"""A SIP phone made of sipp (Debian's sip-tester): an independent SIP stack that judges our NOTIFY.

A phone is what it does with a request, given as steps; it exits with an error when the request is not what
the specification says.
"""

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import free_port, wait_for

needs_sipp = pytest.mark.skipif(shutil.which("sipp") is None, reason="sip-tester is not installed")

_SCENARIO = """<?xml version="1.0" encoding="us-ascii"?>
<scenario name="phone">
{steps}
</scenario>
"""

# Receive a NOTIFY and fail unless event, type and body are right.
TAKE_NOTIFY = r"""
  <recv request="NOTIFY">
    <action>
      <ereg regexp="^[ ]*service-control[ ]*$"
            search_in="hdr" header="Event:" check_it="true" assign_to="event"/>
      <ereg regexp="text/plain" search_in="hdr" header="Content-Type:" check_it="true" assign_to="type"/>
      <ereg regexp="^action=restart.+RegisterCallId=\{0011[^}]*\}.+ConfigVersionStamp=\{0[-0]+\}"
            search_in="body" check_it="true" assign_to="body"/>
      <ereg regexp="^[^@]*$" search_in="hdr" header="From:" check_it="true" assign_to="from"/>
    </action>
  </recv>
  <Reference variables="event,type,body,from"/>
"""


def answer(status: int, reason: str) -> str:
    """Return the step that answers the request before."""
    return f"""
  <send>
    <![CDATA[

      SIP/2.0 {status} {reason}
      [last_Via:]
      [last_From:]
      [last_To:];tag=[pid]SIPpTag[call_number]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

    ]]>
  </send>
"""


def silence(milliseconds: int) -> str:
    """Return the step that lets time pass."""
    return f'<pause milliseconds="{milliseconds}"/>'


class SippPhone:
    """A running phone: `port` to send to, `verdict()` for what it thought of the request."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, folder: Path) -> None:
        self._process = process
        self._folder = folder
        self.port = port

    def verdict(self) -> str:
        """Wait for the phone to finish; empty when it was content, else what it complained about."""
        code = self._process.wait(timeout=120)
        complaints = "".join(path.read_text(errors="replace") for path in self._folder.glob("*errors.log"))
        return "" if code == 0 else f"sipp exit {code}: {complaints}"


@contextlib.contextmanager
def sipp_phone(folder: Path, *steps: str, transport: str = "udp") -> Iterator[SippPhone]:
    """Run a phone on a free port of loopback until the block is left."""
    port = free_port()
    scenario = folder / "phone.xml"
    scenario.write_text(_SCENARIO.format(steps="".join(steps)))
    mode = {"udp": "u1", "tcp": "t1"}[transport]
    command = ["sipp", "-sf", str(scenario), "-i", "127.0.0.1", "-p", str(port), "-t", mode, "-m", "1"]
    command += ["-nostdin", "-timeout", "60s", "-timeout_error", "-trace_err"]
    process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _is_bound(port, transport) or process.poll() is not None)
        assert process.poll() is None, f"sipp did not open port {port}"
        yield SippPhone(process, port, folder)
    finally:
        process.kill()
        process.wait()


def _is_bound(port: int, transport: str) -> bool:
    """As the system tells it: whoever tried the port would keep it from sipp for that moment."""
    table = Path(f"/proc/net/{transport}").read_text().splitlines()
    return any(line.split()[1].endswith(f":{port:04X}") for line in table[1:])
