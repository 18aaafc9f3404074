"""File servers: there is one default for each account, and one shared by all."""

from collections.abc import Iterable

from django.db import transaction

from contacts_app.services.history import update_recorded
from phones_app.models import FileServer


@transaction.atomic
def save_file_server(server: FileServer, *, update_fields: Iterable[str] | None = None) -> FileServer:
    """Store the server; as a default it takes the place of the former one of its account."""
    if server.is_default:
        others = FileServer.objects.filter(account=server.account, is_default=True).exclude(pk=server.pk)
        update_recorded(others, is_default=False)
    server.save(update_fields=update_fields)
    return server
