"""`manage.py simulate_phones`: plays the simulated phones of the inventory until it is told to stop."""

from typing import Any

import structlog
from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, close_old_connections

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.accounts.models import Account
from contacts_app.core.commands import Add, ReportingCommand, argument, headings, positive, until_stopped
from contacts_app.core.net.loops import LoopThread
from phones_app.boot.services import config_url
from phones_app.demo.simulation import (
    Change,
    Players,
    add_phones,
    config_of,
    configs_of,
    keep_ports,
    missing_phones,
    parse_behaviour,
    playable_phones,
)
from phones_app.simulator.phone import SimulatedPhone
from phones_app.simulator.running import AlreadyRunning, running_alone
from phones_app.simulator.state import SimulatedPhoneConfig

log = structlog.get_logger(__name__)

MOST_PHONES = 10_000
POLL_SECONDS = 3.0
# Each phone gets a line while that can still be read.
LINES = 20


class Command(ReportingCommand):
    help = (
        "Play the phones marked as simulated whose address is loopback, until SIGTERM or Ctrl-C. "
        "Phones that are added or changed meanwhile are picked up."
    )
    says_where = False
    columns = headings(mac="MAC", model="Model", software="Software", sip_port="SIP port", web_port="Web port")

    def arguments(self, add: Add) -> None:
        add("--count", type=positive(int, at_most=MOST_PHONES), default=0, metavar="N", help="Have at least N of them.")
        add_account(add, help="Of new phones.")
        add(
            "--config-url",
            help="Where they fetch their files, by http, tftp or ftp; default: the embedded file server.",
        )
        add(
            "--behaviour",
            type=argument(parse_behaviour),
            default={},
            metavar="MIX",
            help="What is wrong with how many percent: rejecting=2,in_call=5,powered_off=1,wrong_mac=1,slow=3.",
        )
        add("--portal", default="http://127.0.0.1:8000", help="Address of the portal in new phones' files.")

    def handle(self, *, count: int, account: int | None, config_url: str | None, **options: Any) -> None:
        new = missing_phones(count, self._account(account)) if count else []
        if options["dry_run"]:
            self.report([{**_row(config_of(phone, "")), "new": True} for phone in new])
            return
        try:
            with running_alone(settings.DATA_DIR):
                add_phones(new, portal=options["portal"])
                self._mix = options["behaviour"]
                self._play(config_url, options["verbosity"] > 1)
        except AlreadyRunning:
            raise CommandError("Another `simulate_phones` is playing the phones of this data folder.") from None

    def _account(self, voip_id: int | None) -> Account:
        account = account_numbered(voip_id) or Account.objects.order_by("voip_id").first()
        if account is None:
            raise CommandError("There is no account for new phones yet: `manage.py create_account` makes one.")
        return account

    def _play(self, url: str | None, every_event: bool) -> None:
        loop = LoopThread("simulated-phones")
        players = Players(self._event if every_event else lambda _mac, _text: None)
        with until_stopped() as stopping:
            try:
                pause = 0.0
                while not stopping.wait(pause):
                    self._follow(loop, players, url or config_url(), first=not pause)
                    pause = POLL_SECONDS
            finally:
                loop.call(players.stop())
                loop.stop()

    def _follow(self, loop: LoopThread, players: Players, url: str, *, first: bool) -> None:
        """Look at the rows once; a database that does not answer is asked again in the next round."""
        try:
            close_old_connections()
            changes = loop.call(players.follow(configs_of(playable_phones(), url, self._mix)))
            for change in changes:
                if change.phone is not None:
                    keep_ports(change.phone)
        except DatabaseError as error:
            log.warning("the rows of simulated phones cannot be read", reason=str(error))
            return
        self._tell(changes, len(players.fleet.phones), url, first)

    def _tell(self, changes: list[Change], played: int, url: str, first: bool) -> None:
        if self.as_json:
            self.report(_played(change) for change in changes)
            self.stdout.flush()
            return
        if first:
            self.announce("phones", f"{played} simulated, files from {url}")
        if not first or len(changes) <= LINES:
            for change in changes:
                self.announce("phones", _line(change))

    def _event(self, mac: str, text: str) -> None:
        self.announce("phones", f"SEP{mac} {text}")


def _row(config: SimulatedPhoneConfig, phone: SimulatedPhone | None = None) -> dict[str, object]:
    ports = phone or config
    return {
        "mac": config.mac,
        "model": config.model,
        "software": config.software_type,
        "host": config.host,
        "sip_port": None if config.software_type == "SCCP" else ports.sip_port,
        "web_port": ports.web_port,
    }


def _played(change: Change) -> dict[str, object]:
    phone = _row(change.phone.config, change.phone) if change.phone else {"mac": change.mac}
    return {**phone, "text": change.text}


def _line(change: Change) -> str:
    row = _played(change)
    if change.phone is None:
        return f"SEP{change.mac} {change.text}"
    sip = f", SIP {row['sip_port']}" if row["sip_port"] else ""
    return f"SEP{change.mac} {row['model']} {row['software']}{sip}, web {row['web_port']}"
