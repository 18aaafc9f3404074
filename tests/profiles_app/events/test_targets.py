"""What callbacks are found by holds nothing of their URLs' credentials, also where it was stored long ago."""

from importlib import import_module

import pytest
from django.apps import apps

from profiles_app.events.models.setup import Callback, EventProfile

pytestmark = pytest.mark.django_db
MIGRATION = import_module("profiles_app.migrations.0020_targets_without_credentials")


def test_credentials_stored_by_an_earlier_version_are_taken_out(acme):
    profile = EventProfile.objects.create(account=acme, name="Main")
    of_web = Callback(
        account=acme, profile=profile, name="CRM @ work", mode="HTTPS", target="crm:pa55@hooks.example.org"
    )
    of_web.save()
    Callback.objects.create(account=acme, mode="EMAIL", target="office@acme.example")
    row = of_web.history.get()
    row.history_changes = {"target": ["old:secret@hooks.example.org", of_web.target]}
    row.save()
    MIGRATION.without_credentials(apps, None)
    targets = set(Callback.objects.values_list("target", flat=True))
    assert targets == {"hooks.example.org", "office@acme.example"}
    row.refresh_from_db()
    assert (row.target, row.history_name) == ("hooks.example.org", "CRM @ work (hooks.example.org)")
    assert row.history_changes == {"target": ["hooks.example.org", "hooks.example.org"]}
