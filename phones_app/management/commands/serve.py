"""`manage.py serve`: the whole embedded portal as one process tree."""

import json
import os
import secrets
import shlex
import sys
import threading
import time
import urllib.request
from argparse import ArgumentParser

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from contacts_app.core.commands import announce, where_data_is
from contacts_app.core.schema import SHOWN, schema_difference
from contacts_app.core.work.broker import embedded_file, mend
from contacts_app.people.models import User
from phones_app.demo.demo import demo_account, demo_profile
from phones_app.management.supervisor import Service, Supervisor, until_stopped, why_taken

# Of the demo, as in the README's tour.
SHOWN_PROFILE, SHOWN_PHONE = "Front desk night", "00:00:5e:00:53:01"
# Enough for every person who waits in `switch` at once, and cheap: a waiting thread only looks at a row.
WEB_WORKERS, WEB_THREADS = 2, 24


class Command(BaseCommand):
    help = "Run the portal on this machine: web, worker, sweep, file server and simulated phones, in one process tree."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST", "127.0.0.1"))
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--no-demo", action="store_true", help="No demo data and no simulated phones.")

    def handle(self, *, host: str, port: int, no_demo: bool, **options: object) -> None:
        if reason := why_taken(host, port):
            raise CommandError(f"Cannot listen on {host}:{port} ({reason}); choose another one: --port N")
        if unknown := schema_difference().unknown:
            raise CommandError(
                f"The database is of another version than this code: it has {', '.join(unknown[:SHOWN])}. Install that "
                "version, or restore the backup from before the upgrade into an empty database (docs/upgrade.md)."
            )
        url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}"  # noqa: S104 - compared, not bound
        # The processes that it starts write the links in mail; whoever set another address knows it better.
        os.environ.setdefault("PUBLIC_URL", url)
        if not no_demo:
            # Deliveries of the demo go to this portal itself: that one address is allowed, and said.
            os.environ.setdefault("DEMO_RECEIVER", "1")
            os.environ.setdefault("CALLBACK_NETWORKS", "127.0.0.1/32")
        self._say("patchbay", where_data_is())
        if os.geteuid() == 0:
            self._say("patchbay", "WARNING: running as root. Run it as a user of its own (docs/operations.md)")
        call_command("migrate", verbosity=0, interactive=False)
        self._administrator()
        if not no_demo:
            # The demo's new phone is enrolled, at this machine alone.
            os.environ.setdefault("ENROLMENT_NETWORKS", "127.0.0.1/32")
            call_command("load_demo", url=url)
        if broker := embedded_file():
            # Messages are mere nudges, and the embedded broker never forgets one: begin with none.
            broker.unlink(missing_ok=True)
            mend()
        answers = threading.Event()
        services = _services(host, port, url, answers, demo=not no_demo)
        with until_stopped() as stopping:
            threading.Thread(target=self._announce, args=(services, url, answers, stopping), daemon=True).start()
            Supervisor(services, self._say).run(stopping)
        self._say("patchbay", "stopped")

    def _say(self, name: str, text: str) -> None:
        announce(self.stdout, name, text)

    def _administrator(self) -> None:
        """Make the first administrator; the password is printed now and never again."""
        if User.objects.filter(is_superuser=True).exists():
            return
        email = os.environ.get("ADMIN_EMAIL", "admin@example.org")
        chosen = os.environ.get("ADMIN_PASSWORD", "")
        password = chosen or secrets.token_urlsafe(9)
        User.objects.create_superuser(email, password)
        if chosen:
            self._say("admin", f"log in as {email} with the password of ADMIN_PASSWORD")
        elif settings.LOG_JSON:
            # Logs are kept, and read by others.
            kept_in = settings.DATA_DIR / "admin_password"
            kept_in.touch(mode=0o600)
            kept_in.write_text(f"{password}\n")
            self._say("admin", f"log in as {email} with the password in {kept_in}, and delete that file")
        else:
            # By itself on its line, so that it can be copied whole.
            self._say("admin", f"log in as {email} with this password, which is not shown again:")
            self.stdout.write(password)

    def _announce(self, services: list[Service], url: str, answers: threading.Event, stopping: threading.Event) -> None:
        """One line per service as soon as the web server answers; the others print their own when they listen."""
        while not stopping.is_set():
            try:
                with urllib.request.urlopen(f"{url}/healthz", timeout=2):  # noqa: S310 - our own address
                    break
            except OSError:
                time.sleep(0.2)
        answers.set()
        if not stopping.is_set():
            for service in services:
                if service.address:
                    self._say(service.name, service.address)
            self._say("patchbay", f"ready: open {url}/admin/ — Ctrl-C stops everything")
            if not settings.LOG_JSON:
                self._say("patchbay", "to copy into another terminal, in this folder:")
                self.stdout.write("\n".join(lines_to_copy(url)))
                self.stdout.flush()


def lines_to_copy(url: str) -> list[str]:
    """A token and the first calls, for this portal: its data folder, its port, and the demo where that is loaded."""
    python = os.path.relpath(sys.executable, settings.BASE_DIR)
    manage = f"{python if not python.startswith('..') else sys.executable} manage.py"
    if "DATA_DIR" in os.environ:
        manage = f"DATA_DIR={shlex.quote(str(settings.DATA_DIR))} {manage}"
    account, night = demo_account(), demo_profile(SHOWN_PROFILE)
    token = f"--account {account.voip_id}" if account else "--staff"
    call = 'curl -H "Authorization: Bearer $TOKEN"'
    lines = [f"TOKEN=$({manage} create_token {token} | tail -n 1)", f"{call} {url}/api/v1/phone-profiles"]
    if night:
        body = json.dumps({"profile_uuid": str(night.uuid), "mac": SHOWN_PHONE})
        lines.append(f"{call} -H \"Content-Type: application/json\" -d '{body}' {url}/api/v1/phone-profiles/switch")
    return lines


def _services(host: str, port: int, url: str, answers: threading.Event, *, demo: bool) -> list[Service]:
    manage = [sys.executable, str(settings.BASE_DIR / "manage.py")]
    celery = [sys.executable, "-m", "celery", "--app", "config", "--quiet"]
    web = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
        *("--workers", str(WEB_WORKERS), "--blocking-threads", str(WEB_THREADS), "--respawn-failed-workers"),
        *("--log-level", "error", "--log-config", str(settings.BASE_DIR / "config" / "granian.json"), "--no-ws"),
        ":".join(settings.WSGI_APPLICATION.rsplit(".", 1)),
    ]
    broker = settings.CELERY_BROKER_URL.partition("://")[0]
    worker = [
        *(*celery, "worker", "--pool", "threads", "--concurrency", "2", "--loglevel", "warning"),
        *("--without-gossip", "--without-mingle"),
    ]
    pause = settings.SWEEP_SECONDS
    # The demo's events go to this web server: sent before it answers, they would begin with a failure and mail about it.
    after = answers if demo else None
    services = [
        Service("web", web, f"{url}/  API docs: {url}/api/docs"),
        Service("worker", worker, f"Celery, broker {broker}", after=after),
        Service("sweep", [*manage, "sweep", "--every", str(pause)], f"every {pause:g} s", after=after),
        Service("files", [*manage, "serve_files"], ""),
    ]
    if demo:
        services.append(Service("phones", [*manage, "simulate_phones"], ""))
    return services
