"""Files of retired handsets, which a worker deletes: their file server may be away when a phone is replaced."""

from collections.abc import Sequence
from datetime import timedelta

import structlog
from django.db.models import QuerySet

from contacts_app.core.errors import Refusal, TransportError
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from phones_app.deployment.left_files import remove
from phones_app.deployment.models import LeftFile

log = structlog.get_logger(__name__)


class Removals(Work):
    name = "file-removals"
    queue = "file-removals"
    model = LeftFile
    due_field = "remove_at"
    # What a server could not be told is tried again after this time. Deleting what is deleted does nothing.
    claim_time = timedelta(minutes=5)

    @classmethod
    def due(cls) -> "QuerySet[LeftFile]":
        return LeftFile.objects.filter(remove_at__lte=clock.now())

    def do(self, keys: Sequence[int]) -> None:
        for left in LeftFile.objects.filter(pk__in=keys).select_related("server"):
            try:
                remove(left)
            except TransportError as error:
                log.info("a retired phone's file could not be deleted yet", mac=left.mac, reason=error.message)
            except Refusal as refusal:
                # Somebody has changed it, or a phone has it again: people decide, in the list of files left behind.
                log.warning("a retired phone's file stays", mac=left.mac, reason=refusal.message)
                LeftFile.objects.filter(pk=left.pk).update(remove_at=None)
