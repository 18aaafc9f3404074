"""`manage.py check_servers`: can the file servers be written to, do the call managers answer?"""

from collections.abc import Callable, Iterator
from typing import Any

from django.core.management.base import CommandError
from django.db.models import Q

from contacts_app.accounts.commands import account_numbered, add_account
from contacts_app.core.commands import Add, ReportingCommand, headings
from phones_app.servers.models import CallManager, FileServer
from phones_app.servers.services import Check, check_call_manager, check_file_server


class Command(ReportingCommand):
    help = "Try every file server and call manager, and keep the result with it."
    columns = headings("kind", "name", "account", "address", ok="Works", message="What")

    def arguments(self, add: Add) -> None:
        add_account(add, help="Only those that phones of this account use: its own and the shared ones.")

    def handle(self, *, account: int | None, dry_run: bool, **options: object) -> None:
        usable = Q(account=account_numbered(account)) | Q(account=None) if account else Q()
        rows = [_try(server, check, dry_run) for server, check in _servers(usable)]
        self.report(rows)
        if failed := sum(row["ok"] is False for row in rows):
            raise CommandError(f"{failed} of {len(rows)} servers do not work.")


def _servers(usable: Q) -> Iterator[tuple[FileServer | CallManager, Callable[[Any], Check]]]:
    for file_server in FileServer.objects.filter(usable).select_related("account"):
        yield file_server, check_file_server
    for manager in CallManager.objects.filter(usable).select_related("account"):
        yield manager, check_call_manager


def _try(server: FileServer | CallManager, check: Callable[[object], Check], dry_run: bool) -> dict[str, object]:
    result = None if dry_run else check(server)
    return {
        "kind": server._meta.verbose_name,
        "uuid": server.uuid,
        "name": server.name,
        "account": server.account.voip_id if server.account else None,
        "address": f"{server.host}:{server.port}",
        "ok": result.ok if result else None,
        "message": result.message if result else "Would be tried.",
    }
