"""A real OpenID provider in a process of its own, whose people and groups a test changes as it runs.

`python -m tests.peers.openid_provider PORT` runs it. Besides what the package does, it can sign with a key that it does
not show: `/test/forge` switches that on and off.
"""

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit

import httpx

from tests.servers import free_port, listens, wait_for

ROOT = Path(__file__).resolve().parents[2]
CLIENT = "patchbay"


class OpenIdProvider:
    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"

    def settings(self) -> dict[str, Any]:
        client = {"OIDC_RP_CLIENT_ID": CLIENT, "OIDC_RP_CLIENT_SECRET": "s3cret"}
        return {"OIDC_ISSUER": self.issuer, "OIDC_TIMEOUT": 60.0} | client

    def has(self, subject: str, **claims: Any) -> None:
        """A person of the provider, as they are from now on."""
        httpx.put(f"{self.issuer}/users/{subject}", json=claims, timeout=60).raise_for_status()

    def approve(self, url: str, subject: str, **changes: str) -> str:
        """What a person does in the browser: log in as `subject` and be sent back; the address they are sent to.

        `changes` are those that an attacker makes on the way to the provider.
        """
        asked = urlsplit(url)
        query = {name: values[0] for name, values in parse_qs(asked.query).items()} | changes
        answer = httpx.post(urlunsplit(asked._replace(query=urlencode(query))), data={"sub": subject}, timeout=60)
        assert answer.status_code == 302, answer.text
        return answer.headers["location"]

    @contextlib.contextmanager
    def forging(self) -> Iterator[None]:
        """Signatures are of another key than the one that it shows."""
        httpx.post(f"{self.issuer}/test/forge", timeout=60).raise_for_status()
        yield
        httpx.post(f"{self.issuer}/test/forge", timeout=60).raise_for_status()


@contextlib.contextmanager
def openid_provider() -> Iterator[OpenIdProvider]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.peers.openid_provider", str(port)],
        cwd=ROOT,
        env=os.environ | {"AUTHLIB_INSECURE_TRANSPORT": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: listens(port))
        yield OpenIdProvider(port)
    finally:
        process.terminate()
        process.wait()


def serve(port: int) -> None:
    import flask
    from authlib import jose
    from oidc_provider_mock import app
    from werkzeug.serving import run_simple

    provider = app()
    genuine: list[Any] = []

    @provider.post("/test/forge")
    def forge() -> str:
        storage = flask.g.oidc_provider_mock_storage
        if genuine:
            storage.jwk = genuine.pop()
        else:
            genuine.append(storage.jwk)
            storage.jwk = jose.RSAKey.generate_key(is_private=True)
        return ""

    shown = provider.view_functions["oidc-provider-mock.jwks"]

    def jwks() -> Any:
        return flask.jsonify(jose.KeySet((genuine[0],)).as_dict()) if genuine else shown()

    provider.view_functions["oidc-provider-mock.jwks"] = jwks

    @provider.after_request
    def load_nothing_from_elsewhere(answer: flask.Response) -> flask.Response:
        if answer.mimetype == "text/html":
            answer.set_data(re.sub(rb"<link[^>]*>", b"", answer.get_data()))
        return answer

    run_simple("127.0.0.1", port, provider, threaded=True)


if __name__ == "__main__":
    serve(int(sys.argv[1]))
