"""Commands as processes of their own: on the database of the test, with a data folder and ports of their own."""

import pytest
from django.conf import settings

from tests import commands
from tests.processes import database_url
from tests.servers import free_port


@pytest.fixture
def environment(db, tmp_path):
    """What makes a process part of this test and of nothing else. Its database rows need a transactional test."""
    data = tmp_path / "data"
    data.mkdir()
    return {
        "DATA_DIR": str(data),
        "DATABASE_URL": database_url(),
        "SECRET_KEY": settings.SECRET_KEY,
        "ENCRYPTION_KEYS": ",".join(settings.ENCRYPTION_KEYS),
        "FILE_SERVER_HOST": "127.0.0.1",
        "FILE_SERVER_FTP_PORT": str(free_port()),
        "FILE_SERVER_HTTP_PORT": str(free_port()),
        "FILE_SERVER_TFTP_PORT": str(free_port()),
        "LOG_LEVEL": "WARNING",
    }


@pytest.fixture
def start(tmp_path, environment):
    """Starts a command that continues running; all are killed at the end of the test."""
    started = []

    def begin(*arguments: str, **changes: str) -> commands.Running:
        log = tmp_path / f"{len(started)}-{arguments[0]}.log"
        started.append(commands.Running(log, *arguments, environment=environment | changes))
        return started[-1]

    yield begin
    for command in started:
        command.kill()
