"""One request is followed by its id: in the logs of web server, worker and sweep, at its deployment and its events."""

import json
import urllib.error
import urllib.request
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from contacts_app.tokens.services import create_token
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.servers.models import FileServer
from profiles_app.events.models.outbox import Event
from profiles_app.phone.services import create_profile
from tests.phones_app.site import ACTOR, sip_file
from tests.processes import processes

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("no_inline_work")]
FOLLOWED, MISSED, LOST = "followed-0001", "missed-0002", "lost-0003"


@pytest.fixture
def ask(acme):
    token = create_token(account=acme)[1]

    def ask(url: str, request_id: str, body: Any = None) -> int:
        headers = {"Authorization": f"Bearer {token}", "X-Request-Id": request_id, "Content-Type": "application/json"}
        asked = urllib.request.Request(url, json.dumps(body).encode() if body else None, headers)
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    return ask


def test_one_request_is_followed(tmp_path, acme, alice, ask):
    folder = tmp_path / "files"
    folder.mkdir()
    phone = Phone.objects.create(mac="AABBCCDDEE01", account=acme)
    profile = create_profile(actor=ACTOR, user=alice, name="Reception", content=sip_file().encode())
    wanted = {"profile_uuid": str(profile.uuid), "macs": [phone.mac]}
    with processes(tmp_path) as own:
        own.environment |= {"LOG_JSON": "1", "LOG_LEVEL": "INFO"}
        FileServer.objects.create(
            name="F", host="127.0.0.1", port=own.start_files(folder), username="phones", password="s3cret-pw",
            is_default=True,
        )  # fmt: skip
        own.start_worker()
        url = own.start_web()

        def lines(name: str) -> list[dict[str, Any]]:
            """Each of them is JSON, whoever has written it."""
            text = (tmp_path / f"{name}.log").read_text()
            return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

        def ids(name: str) -> set[str]:
            return {line.get("request_id", "") for line in lines(name)}

        assert ask(f"{url}/api/v1/deployments", FOLLOWED, wanted) == 202
        # Nobody knows the phone's address: its file is uploaded, and then the deployment fails.
        own.until(lambda: Deployment.objects.filter(finished_at__isnull=False).exists())
        own.until(lambda: FOLLOWED in ids("worker"))
        own.kill("worker")
        assert ask(f"{url}/api/v1/deployments", MISSED, wanted) == 202
        own.start_sweep()
        assert ask(f"{url}/api/v1/phones/nonsense/nowhere", LOST) == 404

        def missed_is_seen() -> bool:
            """By a sweep that comes when it has been due for a while."""
            Deployment.objects.filter(request_id=MISSED).update(next_attempt_at=timezone.now() - timedelta(seconds=11))
            return MISSED in ids("sweep")

        own.until(missed_is_seen)
        own.until(lambda: LOST in ids("web"))
        assert FOLLOWED in ids("web")
        assert [line["code"] for line in lines("web") if line.get("request_id") == LOST] == [404]
        assert lines("worker")
    assert Deployment.objects.get(request_id=FOLLOWED).uploaded_at
    told = Event.objects.filter(data_type="deployment")
    assert {event.request_id for event in told} == {FOLLOWED}
    assert {"uploaded-deployment", "failed-deployment"} <= {tag for event in told for tag in event.tags}
