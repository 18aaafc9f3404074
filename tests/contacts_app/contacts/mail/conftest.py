"""A mail server that Patchbay sends to, and the way to let time pass."""

from datetime import timedelta

import pytest
from django.core.management import call_command
from django.db.models import F

from contacts_app.contacts.models.mail import Mail, Notice
from tests.peers.mail import MailServer


@pytest.fixture
def mail_server(settings):
    server = MailServer()
    for name, value in server.settings().items():
        setattr(settings, name, value)
    settings.DEFAULT_FROM_EMAIL = "Patchbay <portal@patchbay.example>"
    settings.PUBLIC_URL = "https://patchbay.example"
    with server.running():
        yield server


@pytest.fixture
def pass_time(capsys):
    """Everything that waits, waits so much less; then the sweep looks."""

    def pass_(**time: float) -> None:
        earlier = timedelta(**time)
        Mail.objects.update(
            next_attempt_at=F("next_attempt_at") - earlier,
            lease_until=F("lease_until") - earlier,
            created_at=F("created_at") - earlier,
        )
        Notice.objects.update(due_at=F("due_at") - earlier)
        call_command("sweep")

    return pass_
