"""This machine's own addresses are the phones' while simulated ones are played, and the embedded file server's always."""

import pytest

from phones_app.servers.models import FileServer
from phones_app.servers.services import ftp_target, phone_networks
from phones_app.simulator.running import AlreadyRunning, is_running, running_alone


@pytest.fixture(autouse=True)
def as_installed(settings, tmp_path):
    settings.PHONE_NETWORKS, settings.DATA_DIR = "", tmp_path


def test_loopback_is_closed_without_simulated_phones():
    assert not phone_networks().allows("127.0.0.1")
    assert not phone_networks().allows("::1")


def test_loopback_is_open_while_they_are_played(tmp_path, settings):
    settings.PHONE_NETWORKS = "10.1.0.0/16"
    with running_alone(tmp_path):
        assert all(map(phone_networks().allows, ("127.0.0.1", "::1", "10.1.2.3")))
        assert not phone_networks().allows("10.2.0.1")


def test_that_they_are_played_ends_with_their_process(tmp_path):
    assert not is_running(tmp_path)
    with running_alone(tmp_path):
        assert is_running(tmp_path)
        with pytest.raises(AlreadyRunning), running_alone(tmp_path):
            pass
    assert not is_running(tmp_path)


def test_the_embedded_file_server_is_at_hand():
    assert ftp_target(FileServer(host="127.0.0.1", is_embedded=True)).networks.allows("127.0.0.1")
    assert not ftp_target(FileServer(host="127.0.0.1")).networks.allows("127.0.0.1")
