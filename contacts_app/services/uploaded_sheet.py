"""Keeping an uploaded CSV file while a person looks at what it would do."""

from datetime import timedelta
from io import BytesIO
from typing import BinaryIO

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from contacts_app.authorship import because
from contacts_app.models import UploadedSheet, User
from contacts_app.services.sheets import Report, Sheet, import_sheet
from contacts_app.services.sheets.text import check_size

KEPT = timedelta(days=1)


@transaction.atomic
def keep_upload(*, user: User, kind: str, name: str, file: BinaryIO) -> UploadedSheet:
    """Keep a person's one file of a kind; those that nobody came back to go. Raises Refusal for one too large."""
    check_size(file)
    file.seek(0)
    former = Q(user=user, kind=kind) | Q(created_at__lt=timezone.now() - KEPT)
    UploadedSheet.objects.filter(former).delete()
    return UploadedSheet.objects.create(user=user, kind=kind, name=name[:255], content=file.read())


def import_upload(upload: UploadedSheet, *, sheet: Sheet, dry_run: bool) -> Report:
    """What the file would do, or does: once stored it is gone. Raises Refusal."""
    with because(f"Imported from {upload.name}"):
        report = import_sheet(BytesIO(upload.content), sheet, dry_run=dry_run)
    if report.stored:
        upload.delete()
    return report
