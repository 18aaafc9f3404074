"""The row of a phone's file on its file server: written by uploads, judged by read-backs, and told when it changes."""

import random
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, QuerySet

from contacts_app.services.insert_from import insert_from
from phones_app import sep
from phones_app.models import Deployment, FileServer, FileState, PhoneFile
from phones_app.models.phone_file import DRIFTED
from profiles_app.services.event import Happening, emit_many

TAGS = {
    FileState.IN_PLACE: "phone-file-in-place",
    FileState.CHANGED: "phone-file-changed",
    FileState.MISSING: "phone-file-missing",
}


def note_uploads(deployments: "QuerySet[Deployment]", server: FileServer, now: datetime) -> None:
    """The files of these deployments are in their places on this server now, in the transaction of their state."""
    of_phones = deployments.filter(phone__isnull=False)
    files = PhoneFile.objects.filter(phone__in=of_phones.values("phone"))
    drifted = list(files.filter(state__in=DRIFTED).values_list("pk", flat=True))
    insert_from(
        of_phones,
        PhoneFile,
        over="phone",
        phone=F("phone"),
        server=server.pk,
        revision=F("revision"),
        sha256=F("sha256"),
        uploaded_at=now,
        state=FileState.IN_PLACE,
        state_since=now,
        checked_at=now,
        next_check_at=now + check_pause(),
        error="",
        found_sha256="",
        found=None,
    )
    if drifted:
        tell_files(PhoneFile.objects.filter(pk__in=drifted).select_related("phone__account", "server"))


def check_pause() -> timedelta:
    """How long a file is not read back; by chance, so that those of one rollout do not stay together for ever."""
    return timedelta(seconds=(settings.DRIFT_CHECK_SECONDS or 86_400.0) * random.uniform(0.8, 1.2))  # noqa: S311


def tell_files(files: Iterable[PhoneFile]) -> None:
    """Tell listeners, and through them the account's contacts, how these files stand now."""
    emit_many([_happening(file) for file in files])


def _happening(file: PhoneFile) -> Happening:
    return Happening(
        account=file.phone.account,
        tags=["phone", TAGS[FileState(file.state)]],
        data_type="phone",
        data_object_uuid=file.phone.uuid,
        data={
            "mac": file.phone.mac_with_colons,
            "name": file.phone.name,
            "file": sep.mac.file_name(file.phone.mac),
            "file_server": file.server.name if file.server else "",
            "state": file.state,
            "uploaded_sha256": file.sha256,
            "found_sha256": file.found_sha256,
        },
    )
