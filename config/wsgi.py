"""WSGI application for granian or any other WSGI server."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

# Those that a phone or an old form may really use; without a charset it is UTF-8.
FORM_CHARSETS = frozenset({"utf-8", "us-ascii", "iso-8859-1", "windows-1252"})


class TextRequest(WSGIRequest):
    """Django decodes query strings by any codec that a Content-Type names and breaks on those not for text."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        charset = self.content_params.get("charset", "").lower()
        if charset in FORM_CHARSETS:
            self.encoding = charset


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
application.request_class = TextRequest
