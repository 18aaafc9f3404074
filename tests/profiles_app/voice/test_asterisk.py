"""The AGI script of docs/deploy/asterisk against a running portal, run as Asterisk runs it: commands out, results in."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings

from contacts_app.core.work import clock
from contacts_app.tokens.services import create_token
from profiles_app.voice.models.admission import Admission
from tests.servers import free_port

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = settings.BASE_DIR / "docs" / "deploy" / "asterisk" / "patchbay-admission"
CHANNEL = "PJSIP/201-00000007"
HEADER = {
    "agi_request": "patchbay-admission",
    "agi_channel": CHANNEL,
    "agi_uniqueid": "1764400000.7",
    "agi_callerid": "12025550100",
    "agi_extension": "12025550123",
}
SETTING = re.compile(r'SET VARIABLE (\w+) "(.*)"')


@dataclass
class Asterisk:
    """Runs scripts on a channel, and says on its command line which channels there are."""

    folder: Path
    variables: dict[str, str] = field(default_factory=dict)
    noted: list[str] = field(default_factory=list)

    def settings(self, **values: str) -> None:
        lines = "".join(f"{name} = {value}\n" for name, value in values.items())
        (self.folder / "conf").write_text(f"[patchbay]\n{lines}")

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        environment = os.environ | {"PATCHBAY_ADMISSION_CONF": str(self.folder / "conf")}
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen([sys.executable, SCRIPT, *arguments], text=True, env=environment, **pipes)

    def agi(self, *arguments: str, hangs_up: bool = False) -> dict[str, str]:
        """The variables of the channel afterwards. `hangs_up`: the caller does, while the script runs."""
        with self.start(*arguments) as script:
            script.stdin.write("".join(f"{name}: {value}\n" for name, value in HEADER.items()) + "\n")
            script.stdin.flush()
            for line in script.stdout:
                if hangs_up:
                    script.stdin.write("HANGUP\n")
                    hangs_up = False
                script.stdin.write(f"{self.result_of(line.strip())}\n")
                script.stdin.flush()
            errors = script.stderr.read()
        assert (script.returncode, errors) == (0, "")
        return self.variables

    def result_of(self, command: str) -> str:
        if found := SETTING.fullmatch(command):
            self.variables[found[1]] = found[2]
            return "200 result=1"
        if command.startswith("GET VARIABLE "):
            value = self.variables.get(command.removeprefix("GET VARIABLE "))
            return "200 result=0" if value is None else f"200 result=1 ({value})"
        assert command.startswith("VERBOSE "), command
        self.noted.append(command)
        return "200 result=1"

    def timer(self, *channels: str, status: int = 0) -> tuple[int, str]:
        """The status and the errors of `renew`, while Asterisk has these channels."""
        said = "".join(f"{channel}!outbound!12025550123!1!Up!Dial\n" for channel in channels)
        (self.folder / "channels").write_text(said)
        program = self.folder / "asterisk"
        asked = 'test "$*" = "-rx core show channels concise" || exit 9'
        program.write_text(f"#!/bin/sh\n{asked}\ncat {self.folder}/channels\nexit {status}\n")
        program.chmod(0o755)
        with self.start("renew") as script:
            _, errors = script.communicate()
        return script.returncode, errors


@pytest.fixture
def asterisk(tmp_path, pbx, acme, live_server):
    here = Asterisk(tmp_path)
    here.portal = {
        "url": live_server.url,
        "token": create_token(account=acme)[1],
        "profile": pbx.profile["tech_prefix"],
        "timeout": "20",
        "calls": tmp_path / "calls",
        "asterisk": tmp_path / "asterisk",
    }
    here.settings(**here.portal)
    return here


def test_a_call_from_its_admission_to_its_end(asterisk, pbx):
    pbx.limit(record_calls=1, filemat="mp3")
    heard = asterisk.agi("ask")
    assert heard["ADMISSION"] == "allowed"
    assert (heard["ADMISSION_RECORD"], heard["ADMISSION_FORMAT"], heard["ADMISSION_TRACK"]) == ("1", "mp3", "0")
    made = Admission.objects.get()
    assert heard["ADMISSION_ID"] == str(made.uuid)
    assert (made.destination, made.caller, made.call_id) == ("12025550123", "12025550100", "1764400000.7")
    asterisk.agi("answered", heard["ADMISSION_ID"])
    made.refresh_from_db()
    assert made.answered_at is not None
    asterisk.variables["ANSWEREDTIME"] = "61"
    asterisk.agi("ended", hangs_up=True)
    made.refresh_from_db()
    assert (made.ended_at is not None, made.seconds) == (True, 61)
    assert list((asterisk.folder / "calls").iterdir()) == []


def test_a_call_that_is_refused(asterisk, pbx):
    pbx.limit(channel_limit=0)
    heard = asterisk.agi("ask", "442079460958", "12025550101")
    assert (heard["ADMISSION"], heard["ADMISSION_REASON"], heard["ADMISSION_CODE"]) == (
        "refused",
        "channel-limit",
        "D2",
    )
    assert heard["ADMISSION_MESSAGE"] == "0 of 0 channels are in use"
    made = Admission.objects.get()
    assert (made.destination, made.caller) == ("442079460958", "12025550101")
    # There is nothing to be ended.
    asterisk.agi("ended")


@pytest.mark.parametrize(("on_failure", "decision"), [("open", "allowed"), ("closed", "refused")])
@pytest.mark.parametrize("wrong", ["url", "token"])
def test_without_an_answer_the_setting_decides(asterisk, on_failure, decision, wrong):
    value = {"url": f"http://127.0.0.1:{free_port()}", "token": "x"}[wrong]
    asterisk.settings(**asterisk.portal | {wrong: value, "on_failure": on_failure})
    heard = asterisk.agi("ask")
    assert (heard["ADMISSION"], heard["ADMISSION_REASON"]) == (decision, "unavailable")
    assert "no decision about 12025550123" in asterisk.noted[0]
    asterisk.agi("ended")


def test_the_timer_keeps_running_calls_and_ends_the_others(asterisk, pbx, later):
    asterisk.agi("ask")
    later(seconds=200)
    before = Admission.objects.get().expires_at
    assert asterisk.timer(CHANNEL, "PJSIP/202-00000008") == (0, "")
    assert Admission.objects.get().expires_at > before + timedelta(seconds=100)
    # An Asterisk that does not say is no Asterisk without calls.
    status, errors = asterisk.timer(status=1)
    assert (status, errors.strip()) == (1, "Asterisk does not say which channels there are")
    assert Admission.objects.get().ended_at is None
    assert asterisk.timer("PJSIP/202-00000008") == (0, "")
    assert Admission.objects.get().ended_at is not None
    assert list((asterisk.folder / "calls").iterdir()) == []


def test_an_end_that_could_not_be_told_is_told_by_the_timer(asterisk):
    asterisk.agi("ask")
    asterisk.settings(**asterisk.portal | {"url": f"http://127.0.0.1:{free_port()}"})
    asterisk.variables["ANSWEREDTIME"] = "42"
    asterisk.agi("ended")
    assert Admission.objects.get().ended_at is None
    asterisk.settings(**asterisk.portal)
    assert asterisk.timer() == (0, "")
    made = Admission.objects.get()
    assert made.seconds == 42
    assert made.ended_at <= clock.now()
