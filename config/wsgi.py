"""WSGI application for granian or any other WSGI server."""

import gc
import os
from tempfile import SpooledTemporaryFile
from typing import Any, cast

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

from config.environment import prepare
from phones_app.management.supervisor import SUPERVISED, die_with_parent

BLOCK = 1024 * 1024
# Those that a phone or an old form may really use; without a charset it is UTF-8.
FORM_CHARSETS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "windows-1252"})


class TextRequest(WSGIRequest):
    """Django decodes query strings by any codec that a Content-Type names and breaks on those not for text.

    It also reads no more than a Content-Length announces, so a chunked body would be none, and lost.
    """

    def __init__(self, environ: dict[str, Any]) -> None:
        if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower() and not environ.get("CONTENT_LENGTH"):
            environ |= _measured(environ["wsgi.input"])
        super().__init__(environ)

    def parse_file_upload(self, META: Any, post_data: Any) -> Any:
        # Models cannot be imported before Django is set up, and so cannot what imports them.
        from contacts_app.core.uploads import WholeBody

        body = WholeBody(post_data, int(META.get("CONTENT_LENGTH") or 0))
        parsed = super().parse_file_upload(META, cast("Any", body))
        body.ensure_whole()
        return parsed

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        charset = self.content_params.get("charset", "").lower()
        if charset in FORM_CHARSETS:
            self.encoding = charset


def _measured(body: Any) -> dict[str, Any]:
    """The body read to its end, or to a byte more than anybody takes, and how long it is."""
    # The largest that any route takes is an imported CSV file. Models cannot be imported before Django is set up.
    from contacts_app.core.csv.text import MAX_BYTES

    kept, left = SpooledTemporaryFile(max_size=BLOCK), MAX_BYTES + 1  # noqa: SIM115 - it goes with the request
    while left and (piece := body.read(min(left, BLOCK))):
        kept.write(piece)
        left -= len(piece)
    kept.seek(0)
    return {"wsgi.input": kept, "CONTENT_LENGTH": str(MAX_BYTES + 1 - left)}


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if not settings.configured:
    # A process that has read its settings for something else keeps them, and its children do not get this.
    os.environ.setdefault("DATABASE_POOL_SIZE", "48")
prepare()
if SUPERVISED in os.environ:
    # A worker of the web server, whose master may be killed together with the supervisor.
    die_with_parent()

application = get_wsgi_application()
application.request_class = TextRequest
# What is loaded by now stays; looking through it for garbage again and again takes time from requests.
gc.freeze()
