"""Clients made from the OpenAPI document by public generators: complete, without a warning, the Python one driven."""

import importlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings as django_settings

from contacts_app.core.work.queue import run_queue
from phones_app.deployment.request import DEPLOYMENTS
from phones_app.rollout import rollout as rollouts
from tests.apis.routes import METHODS, document
from tests.kept import kept
from tests.peers.http_receiver import Receiver
from tests.phones_app.conftest import site
from tests.phones_app.site import sip_file
from tests.servers import wait_for

__all__ = ["site"]

DOCUMENT = django_settings.BASE_DIR / "docs" / "openapi.yaml"
TYPESCRIPT = django_settings.BASE_DIR / ".tools" / "typescript"
PACKAGE = "patchbay_client"
OPERATIONS = [
    (method, operation["tags"][0].replace("-", "_"), operation["operationId"])
    for item in document()["paths"].values()
    for method, operation in item.items()
    if method in METHODS
]


# Pictures are bytes for it, once it is told so.
OPTIONS = {"content_type_overrides": {"image/png": "application/octet-stream"}}


def generate(folder: Path) -> None:
    """Without a warning."""
    programs = Path(sys.executable).parent
    options = folder / "options.json"
    options.write_text(json.dumps(OPTIONS))
    command = [
        *(str(programs / "openapi-python-client"), "generate", "--fail-on-warning", "--meta", "none"),
        *("--path", str(DOCUMENT), "--output-path", str(folder / PACKAGE), "--config", str(options)),
    ]
    # It tidies up by ruff, which is beside it.
    environment = os.environ | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert "warning" not in done.stdout.lower(), done.stdout


@pytest.fixture(scope="module")
def package() -> Iterator[None]:
    """The generated Python client can be imported."""
    made_from = ["docs/openapi.yaml", "requirements-dev.lock", "tests/apis/test_generated_clients.py"]
    folder = kept("client", made_from, generate)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    for name in [name for name in sys.modules if name.partition(".")[0] == PACKAGE]:
        del sys.modules[name]


class Generated:
    """The generated client: its operations by their names, with a client that carries the token."""

    def __init__(self, url: str) -> None:
        self.models = importlib.import_module(f"{PACKAGE}.models")
        self.types = importlib.import_module(f"{PACKAGE}.types")
        self.clients = importlib.import_module(f"{PACKAGE}.client")
        self.url = url
        self.client = self.clients.Client(base_url=url)
        self.tags = {name: tag for _, tag, name in OPERATIONS}

    def log_in(self, token: str) -> None:
        self.client = self.clients.AuthenticatedClient(base_url=self.url, token=token)

    def ask(self, operation: str, *named: object, **sent: object) -> Any:
        """The answer with its status and headers; what it says is `parsed`."""
        module = importlib.import_module(f"{PACKAGE}.api.{self.tags[operation]}.{operation}")
        return module.sync_detailed(*named, client=self.client, **sent)

    def data(self, operation: str, *named: object, **sent: object) -> Any:
        return self.ask(operation, *named, **sent).parsed.data


@pytest.fixture
def portal(package, live_server, alice) -> Generated:
    generated = Generated(live_server.url)
    credentials = generated.models.CredentialsRequest(username=alice.email, password="correct horse")
    generated.log_in(generated.data("auth_login", body=credentials).access_token)
    return generated


def test_every_operation_is_generated(package):
    for _, tag, name in OPERATIONS:
        module = importlib.import_module(f"{PACKAGE}.api.{tag}.{name}")
        assert callable(module.sync_detailed)


@pytest.mark.django_db(transaction=True)
def test_log_in_and_errors(portal, alice):
    assert portal.data("me_retrieve").uuid == alice.uuid
    [person] = portal.data("users_list")
    assert (person.email, person.permission_level) == (alice.email, 0)
    absent = portal.ask("phones_retrieve", "02:00:00:00:00:99")
    assert (absent.status_code, absent.parsed.code) == (404, "not-found")
    wrong = portal.models.CredentialsRequest(username=alice.email, password="wrong")
    refused = portal.ask("auth_login", body=wrong)
    assert (refused.status_code, refused.parsed.code) == (401, "authentication-failed")


@pytest.mark.django_db(transaction=True)
def test_create_and_pages(portal):
    macs = [f"02:00:00:00:01:0{number}" for number in range(3)]
    for mac in macs:
        made = portal.ask("phones_create", body=portal.models.PhoneRecordRequest(mac=mac, name=f"Desk {mac[-1]}"))
        assert (made.status_code, made.parsed.data.mac, made.parsed.data.current_profile) == (201, mac, None)
    pages = [portal.ask("phones_list", limit=2, offset=offset).parsed for offset in (0, 2)]
    assert [phone.mac for page in pages for phone in page.data] == macs
    assert [(page.metadata.total, page.metadata.offset) for page in pages] == [(3, 0), (3, 2)]
    renamed = portal.models.PatchedPhoneRecordRequest(name="Lobby")
    assert portal.data("phones_partial_update", macs[0], body=renamed).name == "Lobby"

    table = portal.ask("phones_csv_retrieve").parsed
    edited = portal.types.File(payload=BytesIO(table.replace("Lobby", "Hall").encode()))
    assert portal.data("phones_csv_create", body=edited).updated == 1
    assert portal.data("phones_retrieve", macs[0]).name == "Hall"
    assert portal.data("phones_destroy", macs[2]).additional_properties["mac"] == macs[2]


@pytest.mark.django_db(transaction=True)
def test_switch_and_rollout(portal, site, alice):
    phone = site.phone()
    with site.alive(phone):
        profiles = [
            portal.data(
                "phone_profiles_create",
                body=portal.models.PhoneProfileRecordRequest(
                    user_uuid=alice.uuid, name=name, cnf_xml=sip_file(label=name)
                ),
            )
            for name in ("Day", "Night")
        ]
        wanted = portal.models.SwitchRequest(profile_uuid=profiles[0].uuid, mac=phone.mac_with_colons)
        switched = portal.ask("phone_profiles_switch", body=wanted)
        assert (switched.status_code, switched.parsed.data.restart) == (200, "ok")
        deployment = portal.data("deployments_retrieve", switched.headers["Location"].rpartition("/")[2])
        assert (deployment.mac, deployment.profile, deployment.steps[0].kind) == (
            phone.mac_with_colons,
            "Day",
            "upload",
        )

        body = {"profile_uuid": profiles[1].uuid, "macs": [phone.mac_with_colons]}
        planned = portal.ask("rollouts_create", body=portal.models.RolloutRequest(**body, dry_run=True))
        assert (planned.status_code, planned.parsed.data.plan.total, planned.parsed.data.rollout) == (200, 1, None)
        started = portal.ask("rollouts_create", body=portal.models.RolloutRequest(**body))
        assert (started.status_code, started.parsed.data.plan) == (202, None)
        uuid = started.parsed.data.rollout.uuid

        def is_finished() -> bool:
            run_queue(DEPLOYMENTS)
            rollouts.advance_all()
            return bool(portal.data("rollouts_retrieve", str(uuid)).state == "finished")

        wait_for(is_finished)
    assert portal.data("rollouts_retrieve", str(uuid)).progress.parts.confirmed == 1
    [listed] = portal.data("deployments_list", rollout=uuid)
    assert (listed.state, listed.profile) == ("confirmed", "Night")
    assert isinstance(listed.uuid, UUID)


@pytest.mark.django_db(transaction=True)
def test_callbacks_and_their_pages(portal, acme, settings):
    settings.CALLBACK_NETWORKS = "127.0.0.0/8"
    models, account = portal.models, acme.voip_id
    with Receiver().running() as receiver:
        secret = models.CallbackConfigHttpHeadersType0Item(name="Authorization", value="Bearer s3cret")
        config = models.CallbackConfigHttp(url=receiver.url, headers=[secret])
        made = [
            portal.ask("events_callbacks_create", account, body=models.CallbackRecordRequest(config=config, name=name))
            for name in ("First", "Second")
        ]
        assert [one.status_code for one in made] == [201, 201]
        assert [request.headers["authorization"] for request in receiver.requests] == ["Bearer s3cret"] * 2
    shown = made[0].parsed.config
    assert (type(shown), shown.url, shown.headers[0].value) == (models.CallbackConfigHttp, receiver.url, True)
    mail = models.CallbackRecordRequest(
        mode=models.CallbackModeEnum.EMAIL, config=models.CallbackConfigEmail(email="a@b.example")
    )
    assert type(portal.ask("events_callbacks_create", account, body=mail).parsed.config) is models.CallbackConfigEmail

    pages = [portal.ask("events_callbacks_list", account, limit=2, offset=offset).parsed for offset in (0, 2)]
    assert [callback.name for page in pages for callback in page.items] == [None, "Second", "First"]
    assert {page.total for page in pages} == {3}
    brief = importlib.import_module(f"{PACKAGE}.models.events_callbacks_list_mode").EventsCallbacksListMode.BRIEF
    short = portal.ask("events_callbacks_list", account, mode=brief, limit=1, offset=2).parsed.items
    assert [(type(one), one.name) for one in short] == [(models.IdAndName, "First")]

    listener = portal.ask(
        "events_listeners_create", account, body=models.ListenerRecordRequest(callback_id=made[0].parsed.id)
    ).parsed
    tags = models.SubscriptionRecordRequest(tags=[models.EventTagEnum.CALL])
    assert portal.ask("events_listeners_subscriptions_create", account, listener.id, body=tags).parsed.tags == ["call"]
    absent = portal.ask("events_callbacks_retrieve", account, 10**9)
    assert (absent.status_code, absent.parsed.error.http_status_code) == (404, 404)


@pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")
@pytest.mark.skipif(
    not (TYPESCRIPT / "installed.lock").exists(), reason="openapi-typescript is not installed (make setup-dev)"
)
def test_types_for_typescript(tmp_path):
    programs = TYPESCRIPT / "node_modules" / ".bin"
    types = tmp_path / "patchbay.ts"
    done = subprocess.run(
        [programs / "openapi-typescript", DOCUMENT, "--output", types], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    said = (done.stdout + done.stderr).lower()
    assert "warn" not in said, said
    assert "error" not in said, said
    text = types.read_text()
    for _, _, name in OPERATIONS:
        assert f"    {name}: {{" in text, name
    # The types are sound, and a request is one of them.
    use = tmp_path / "use.ts"
    use.write_text(
        'import type { components, operations } from "./patchbay";\n'
        'const body: components["schemas"]["PhoneRecordRequest"] = { mac: "02:00:00:00:01:00" };\n'
        'type Answer = operations["phones_list"]["responses"][200]["content"]["application/json"];\n'
        "export const first = (answer: Answer): string => answer.data[0].uuid + body.mac;\n"
    )
    checked = subprocess.run(
        [programs / "tsc", "--noEmit", "--strict", "--skipLibCheck", use], capture_output=True, text=True, timeout=300
    )
    assert checked.returncode == 0, checked.stdout
