"""A body whose length nobody announces is taken like any other, by the web server that operators run."""

import httpx
import pytest

from contacts_app.tokens.services import create_token
from tests.processes import processes


@pytest.mark.django_db(transaction=True)
def test_a_body_in_chunks_is_taken_like_any_other(acme, tmp_path, no_inline_work):
    headers = {"Authorization": f"Bearer {create_token(account=acme)[1]}", "Content-Type": "application/json"}
    with processes(tmp_path) as running:
        profiles = f"{running.start_web()}/v4/accounts/1000001/integrations/events/profiles"

        def send(method: str, url: str, *chunks: bytes) -> httpx.Response:
            return httpx.request(method, url, content=iter(chunks), headers=headers, timeout=60)

        made = send("POST", profiles, b'{"name": "Night", ', b'"support_email": "night@acme.example"}')
        assert (made.status_code, made.json()["name"]) == (201, "Night")
        changed = send("PATCH", f"{profiles}/{made.json()['id']}", b'{"name": ', b'"Day"}')
        assert (changed.status_code, changed.json()["name"]) == (200, "Day")
        refused = send("POST", profiles, b'{"name": "', *[b"x" * 1_000_000] * 3, b'"}')
        assert (refused.status_code, refused.json()["@error"]["@httpStatusCode"]) == (413, 413)
