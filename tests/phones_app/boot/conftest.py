"""The embedded file server and what it saw, as the simulated phones have it."""

from tests.phones_app.simulator.conftest import desk, fetch_log, file_server, place_phone  # noqa: F401
