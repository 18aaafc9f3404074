"""A shared file as the answer to somebody who downloads it, sent in pieces."""

from django.http import FileResponse

from contacts_app.core.errors import Refusal
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile

OCTETS = "application/octet-stream"


def tag_of_content(row: SharedFile) -> str:
    """The entity tag of its content (RFC 9110 §8.8.3)."""
    return f'"{row.sha256}"'


def as_attachment(row: SharedFile) -> FileResponse:
    """Raises Refusal where the content is not on the disk."""
    try:
        file = store.read(row.sha256)
    except FileNotFoundError:
        raise Refusal("content-lost", f"The content of {row.path} is not on the disk: upload it again.") from None
    name = row.path.rpartition("/")[2]
    response = FileResponse(file, as_attachment=True, filename=name, content_type=OCTETS)
    response.headers["ETag"] = tag_of_content(row)
    response.block_size = store.CHUNK
    return response
