"""Files that an upload may have replaced by older ones after it was given up for dead: read back, and repaired.

A worker that was stopped, and goes on, asks whether its lease still holds before it renames its file. What may happen
between that question and the rename is looked for here, once no such upload can be under way any more
(`record.read_back_later`). Other drift is only reported; this one is our own doing.
"""

from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import structlog
from django.db import transaction
from django.db.models import QuerySet

from contacts_app.core.actor import Actor
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.deployment.models import Deployment, FileState, PhoneFile
from phones_app.deployment.request import DEPLOYMENTS, request_of
from phones_app.deployment.transitions import queued
from phones_app.drift.checks import BATCH, DriftChecks, Found, read_back, readable, write_down
from phones_app.inventory.models import Phone
from phones_app.transports.ftp.pool import FtpPool

log = structlog.get_logger(__name__)
ACTOR = Actor("read-back after a worker was lost", "read-back")
REASON = "A worker that was stopped had put an older file back"


class Rereads(Work):
    name = "file-rereads"
    queue = DriftChecks.queue
    model = PhoneFile
    due_field = "reread_at"
    batch = BATCH
    # What could not be read, or is being uploaded to, is looked at again after this time.
    claim_time = timedelta(minutes=1)

    def __init__(self, owner: str) -> None:
        super().__init__(owner)
        self.pool = self.opened.enter_context(closing(FtpPool()))

    @classmethod
    def due(cls) -> "QuerySet[PhoneFile]":
        return PhoneFile.objects.filter(server__isnull=False, reread_at__lte=clock.now())

    def do(self, keys: Sequence[int]) -> None:
        files = readable(PhoneFile.objects.filter(pk__in=keys)).select_related("revision__profile")
        for found in read_back(files, self.pool):
            if not found.error and _judge(found):
                file = found.file
                PhoneFile.objects.filter(pk=file.pk, reread_at=file.reread_at).update(reread_at=None)


def _judge(found: Found) -> bool:
    """Whether the file is as it should be, or repaired, or no work of ours; False: that cannot be told now."""
    file = found.file
    is_ours = found.state == FileState.MISSING or Deployment.objects.filter(phone=file.pk, sha256=found.sha256).exists()
    if found.state == FileState.IN_PLACE or not is_ours or file.revision is None:
        return bool(write_down([found]))
    return _repair(file)


@transaction.atomic
def _repair(file: PhoneFile) -> bool:
    """Ask for the newest file once more, without a restart; not while the phone has another deployment."""
    phone, revision = Phone.objects.select_for_update(no_key=True).get(pk=file.pk), file.revision
    is_newest = PhoneFile.objects.filter(pk=file.pk, sha256=file.sha256, uploaded_at=file.uploaded_at).exists()
    if revision is None or not is_newest or Deployment.objects.filter(phone=phone, finished_at=None).exists():
        return False
    log.warning("a worker that was stopped had put an older file back", mac=phone.mac)
    row = request_of(phone, ACTOR, revision.profile, revision, Deployment.Kind.UPLOAD)
    row.reason = REASON
    queued([row], phones=[phone.pk])
    nudge_after_commit(DEPLOYMENTS)
    return True
