"""The OpenAPI document: made without a warning, and the one in the repository is up to date."""

import io
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.urls import URLResolver, get_resolver

# URLs that go on answering, and that nothing new should use.
FORMER = {"api/v1/phones/{mac}/look"}


def generated() -> str:
    output = io.StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=output)
    return output.getvalue()


@pytest.fixture(scope="module")
def document() -> str:
    return generated()


def routes_in(patterns: list[Any], before: str = "") -> Iterator[str]:
    for one in patterns:
        route = f"{before}{one.pattern}"
        if isinstance(one, URLResolver):
            yield from routes_in(one.url_patterns, route)
        else:
            yield route


def test_every_route_is_in_the_document(document):
    routes = [route for route in routes_in(get_resolver().url_patterns) if route.startswith("api/v1/")]
    paths = {re.sub(r"<\w+:(\w+)>", r"/{\1}", route).replace("//", "/") for route in routes}
    assert {path for path in paths if f"  /{path}:" not in document} == FORMER


def test_the_document_in_the_repository_is_this_one(document):
    kept = (settings.BASE_DIR / "docs" / "openapi.yaml").read_text()
    assert kept.strip() == document.strip(), (
        "run: manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml"
    )


def test_a_process_makes_the_same_document_again(document):
    assert generated() == document


def test_no_answer_has_a_password(document):
    lines = document.splitlines()
    for number, line in enumerate(lines):
        if line.strip() in ("password:", "web_password:"):
            following = "\n".join(lines[number : number + 8])
            assert "writeOnly: true" in following or "maxLength: 1024" in following
