"""Hostile bodies for every route that takes JSON: an answer of its dialect, never an error of ours.

`make fuzz` sends 10,000; here are a few, the same each time. What is taken is rolled back.
"""

import os
import random

import pytest
from django.db import transaction

from tests.apis.conftest import *  # noqa: F403 - one row of everything, as for the other tests of all routes
from tests.apis.routes import document, is_error_of_its_dialect, operations, url_of
from tests.fuzz import garbler

BODIES = int(os.environ.get("FUZZ_BODIES", "300"))
SEED = int(os.environ.get("FUZZ_SEED", "1"))


def members(said) -> list[str]:
    schema = said["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return sorted(schema.get("properties", {}))


@pytest.mark.django_db
def test_hostile_bodies_are_answered(owner, rows, settings):
    settings.SWITCH_WAIT_SECONDS = 0
    routes = [
        (method, url_of(path, rows, voip_id=rows["voip_id"], user_uuid=rows["user"]), members(said))
        for method, path, said in operations()
        if "application/json" in said.get("requestBody", {}).get("content", {})
    ]
    taken = 0
    for number in range(BODIES):
        chance = random.Random(SEED * 10**6 + number)
        method, url, names = routes[number % len(routes)]
        body = garbler.body(names, chance)
        with transaction.atomic():
            response = owner.send(method, url, body)
            transaction.set_rollback(True)
        assert response.status_code < 500, (number, method, url, body[:500])
        if response.status_code >= 400:
            is_error_of_its_dialect(response)
        else:
            taken += 1
    print(f"{BODIES} bodies, {taken} of them taken")
