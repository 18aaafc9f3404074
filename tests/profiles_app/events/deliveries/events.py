"""Events as a PBX feeds them in, and what receivers got."""

import json
from typing import Any

CALL = ["call", "new-call", "inbound", "first-leg", "from-did", "to-did"]


def call(number: str = "+15550000001", tags: list[str] | None = None, **more: Any) -> dict[str, Any]:
    leg = {
        "uuid": "22222222-2222-4222-8222-222222222222",
        "from": {"type": "did", "id": number},
        "to": {"type": "did", "id": "+15550000002"},
        "is_first": True,
        "state": "new",
        "completion_status": None,
    }
    data = {"uuid": leg["uuid"], "direction": "inbound", "event_leg": leg, "first_leg": None}
    return {"tags": tags or CALL, "data_type": "call", "data": data} | more


def feed(client: Any, *events: dict[str, Any]) -> list[str]:
    """Feed events in; their uuids."""
    response = client.post("ingest", {"events": list(events)})
    assert response.status_code == 201, response.content
    return [item["uuid"] for item in response.json()["items"]]


def bodies(receiver: Any) -> list[dict[str, Any]]:
    return [json.loads(request.body) for request in receiver.requests]


def uuids(receiver: Any) -> list[str]:
    return [body["uuid"] for body in bodies(receiver)]
