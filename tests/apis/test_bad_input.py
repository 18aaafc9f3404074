"""Over all routes of the OpenAPI document: whatever is sent, the dialect's own error, and nothing is stored."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, cycle
from urllib.parse import urlencode

import pytest
from django.core.cache import cache

from contacts_app.core.memory import forget_everything
from tests.apis.conftest import everything
from tests.apis.routes import FORBIDDEN, METHODS, OF_GATEWAYS, document, is_error_of_its_dialect, operations, url_of

pytestmark = pytest.mark.django_db

# What no parser takes, what is no object, and what no database takes: each dialect is sent all kinds, each route one of
# each group in turn.
NOT_JSON = (
    {"cut": b"{", "not-utf-8": b'{"name": "\xff"}', "nan": b'{"name": NaN}', "deep": b"[" * 50_000},
    {"array": b"[]", "string": b'"x"', "number": b"7", "null": b"null"},
    {"half-a-character": b'{"name": "\\ud800"}'},
)
HUGE = b'{"name": "' + b"x" * 10_000_000 + b'"}'
# A wrong value for every member that any route knows.
ODD = {"object": {"a": [1]}, "nul": "a\x00b", "huge-number": 10**400, "long": "x" * 100_000}
# Each dialect reads them in its own way: the first of its routes is sent all. Databases differ in the first two, which
# every route is sent, and of the others one in turn.
LIMITS = (["99999999999999999999"], ["\x00"], ["-1", "x", "1e9", "", "1.5", "٣", "0x7"])
CONTENT_TYPES = (["text/plain", "application/xml"], ["multipart/form-data", "nonsense"])
# Several at once come with or without an envelope.
TAKES_A_LIST = {"/api/2.0/notification_preferences/"}
# Asking these for an end or a beginning needs no body, and they store nothing that could be half.
NO_BODY_NEEDED = {"/api/v1/auth/logout", "/api/v1/phones/{mac}/status-check"}


def in_turn(groups: Sequence[Iterable[str]]) -> Iterator[list[str]]:
    """One kind of each group, without end, so that any two neighbours are of other kinds."""
    return map(list, zip(*map(cycle, groups), strict=False))


def each(kinds: Iterable[str]) -> Iterator[str]:
    """All kinds are sent within one test, for which the rows are made once. A failure is that of the last one printed."""
    for kind in kinds:
        print(repr(kind))
        cache.clear()
        forget_everything()
        yield kind


@pytest.fixture
def urls(rows):
    def url(path: str) -> str:
        return url_of(path, rows, voip_id=rows["voip_id"], user_uuid=rows["user"])

    return url


def writes():
    """The routes that take JSON."""
    return [
        (method, path, said)
        for method, path, said in operations()
        if "application/json" in said.get("requestBody", {}).get("content", {})
    ]


def test_a_body_that_is_no_json_object(owner, urls):
    before, bodies = everything(), NOT_JSON[0] | NOT_JSON[1] | NOT_JSON[2]
    for (method, path, _), kinds in zip(writes(), in_turn(NOT_JSON), strict=False):
        print(method, path, kinds)
        for kind in kinds:
            if not (kind == "array" and path in TAKES_A_LIST):
                is_error_of_its_dialect(owner.send(method, urls(path), bodies[kind]))
    assert everything() == before


def refused(method: str, path: str, status: int) -> int:
    """The status of an answer to a bad body, where nothing is wrong with who sends it."""
    return 403 if (method, path) in FORBIDDEN else 401 if path in OF_GATEWAYS else status


def test_a_body_of_ten_megabytes(owner, urls):
    before = everything()
    for method, path, _ in writes():
        response = owner.send(method, urls(path), HUGE)
        is_error_of_its_dialect(response)
        assert response.status_code == refused(method, path, 413), (method, path, response.status_code)
    assert everything() == before


def test_a_content_type_that_is_not_spoken(owner, urls):
    before = everything()
    for (method, path, said), kinds in zip(writes(), in_turn(CONTENT_TYPES), strict=False):
        print(method, path, kinds)
        for content_type in kinds:
            if content_type not in said["requestBody"]["content"]:
                response = owner.send(method, urls(path), b'{"name": "x"}', content_type=content_type)
                is_error_of_its_dialect(response)
                assert response.status_code == refused(method, path, 415), (method, path, content_type)
    assert everything() == before


def members(said) -> list[str]:
    schema = said["requestBody"]["content"]["application/json"]["schema"]
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return sorted(schema.get("properties", {}))


def test_a_value_that_cannot_be(owner, urls):
    """In every member at once: what is read-only is not looked at, the others are wrong."""
    for kind in each(ODD):
        for method, path, said in writes():
            if path not in NO_BODY_NEEDED:
                is_error_of_its_dialect(owner.send(method, urls(path), dict.fromkeys(members(said), ODD[kind])))


def test_a_limit_that_cannot_be(owner, urls):
    kinds, known = in_turn(LIMITS), set()
    for method, path, said in operations():
        names = {parameter["name"] for parameter in said.get("parameters", []) if parameter["in"] == "query"}
        for name in sorted(names & {"limit", "offset", "idAfter"}):
            dialect = (path.split("/")[1], name)
            for value in next(kinds) if dialect in known else chain(*LIMITS):
                print(method, path, name, repr(value))
                response = owner.send(method, f"{urls(path)}?{urlencode({name: value})}")
                if response.status_code != 200:
                    is_error_of_its_dialect(response)
            known.add(dialect)


def test_a_method_that_a_route_does_not_have(owner, urls, settings):
    # A slip of the provider's document that is taken, and that ours leaves out.
    settings.EVENTS_ID_ON_CREATE = False
    known = {}
    for method, path, _ in operations():
        if path in OF_GATEWAYS:
            continue
        known.setdefault(path, set()).add(method)
    for path, has in known.items():
        for method in {*METHODS, "trace"} - has:
            response = owner.send(method, urls(path), None if method in ("get", "trace") else {})
            is_error_of_its_dialect(response)
            assert response.status_code == 405, (method, path, response.status_code)
            assert {name.lower() for name in response["Allow"].split(", ")} >= has
