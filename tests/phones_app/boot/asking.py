"""Asks the embedded file server as phones at several addresses of this machine, and puts shared files there."""

import http.client
import subprocess

from contacts_app.core.history.records import create_recorded
from phones_app.boot.server import EmbeddedFileServer
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile


def ask(server: EmbeddedFileServer, name: str, at: str) -> bytes | None:
    connection = http.client.HTTPConnection(server.host, server.http_port, timeout=60, source_address=(at, 0))
    connection.request("GET", f"/{name}")
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return body if response.status == 200 else None


def ask_tftp(server: EmbeddedFileServer, name: str, at: str) -> bytes | None:
    url = f"tftp://{server.host}:{server.tftp_port}/{name}"
    ran = subprocess.run(["curl", "-s", "--interface", at, url], capture_output=True, timeout=60, check=False)
    return ran.stdout if ran.returncode == 0 else None


def put(path: str, content: bytes, **whose: object) -> SharedFile:
    stored = store.store([content])
    return create_recorded([SharedFile(path=path, sha256=stored.sha256, size=stored.size, **whose)])[0]
