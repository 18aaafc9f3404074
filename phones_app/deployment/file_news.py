"""What listeners are told of phones' files on their file servers: changed or gone there, and in their places again."""

from collections.abc import Iterable

from phones_app.deployment.models import FileState, PhoneFile
from profiles_app.events.outbox import EventDraft, emit_many

TAGS = {
    FileState.IN_PLACE: "phone-file-in-place",
    FileState.CHANGED: "phone-file-changed",
    FileState.MISSING: "phone-file-missing",
}


def tell_files(files: Iterable[PhoneFile]) -> None:
    """Tell listeners, and through them the account's contacts, how these files stand now."""
    emit_many([_draft(file) for file in files])


def _draft(file: PhoneFile) -> EventDraft:
    return EventDraft(
        account=file.phone.account,
        tags=["phone", TAGS[FileState(file.state)]],
        data_type="phone",
        data_object_uuid=file.phone.uuid,
        data={
            "mac": file.phone.mac_with_colons,
            "name": file.phone.name,
            "file": file.file_name,
            "file_server": file.server.name if file.server else "",
            "state": file.state,
            "uploaded_sha256": file.sha256,
            "found_sha256": file.found_sha256,
        },
    )
