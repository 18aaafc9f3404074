"""The portal keeps what its OpenAPI document says, asked by a stranger who knows nothing else (schemathesis)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings as django_settings

from contacts_app.accounts.services import ensure_extension
from contacts_app.tokens.services import create_token

CONFIG = Path(__file__).parent.parent / "schemathesis.toml"
EXAMPLES = "3"


@pytest.fixture
def quiet(settings):
    """Nothing leaves the machine, and nobody waits for phones that do not exist."""
    settings.PHONE_NETWORKS = settings.CALLBACK_NETWORKS = "127.0.0.0/8"
    settings.CALLBACK_SECONDS = settings.SWITCH_WAIT_SECONDS = settings.CONFIRM_SECONDS = 0.2
    settings.AXES_FAILURE_LIMIT = 10_000


@pytest.mark.django_db(transaction=True)
def test_every_answer_is_as_the_document_says(live_server, quiet, acme, rows, tmp_path):
    ensure_extension(account=acme, number=101)
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(CONFIG), "run"),
        *(str(django_settings.BASE_DIR / "docs" / "openapi.yaml"), "--url", live_server.url),
        *("--phases", "examples,fuzzing", "--max-examples", EXAMPLES, "--no-color"),
    ]
    environment = os.environ | {"TOKEN": create_token(account=acme)[1]}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    assert "Tested:" in done.stdout
