"""The events API as its clients see it: paths below an account or an extension, JSON in and out."""

from typing import Any

from django.test import Client


class EventsClient:
    def __init__(self, token: str = "", base: str = "") -> None:
        self.base = f"{base}/integrations/events"
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = Client(headers=headers, raise_request_exception=False)

    def send(self, method: str, path: str, body: Any = None, **extra: Any) -> Any:
        """`path` from the root, or below the events of the account or extension."""
        url = path if path.startswith("/") else f"{self.base}/{path}"
        content = {} if body is None else {"data": body, "content_type": "application/json"}
        response = getattr(self.http, method)(url, **content, **extra)
        if response.status_code >= 400:
            error = response.json()["@error"]
            assert error["@httpStatusCode"] == response.status_code
            assert error["@time"].endswith("Z")
            assert response["Content-Type"] == "application/json"
        return response

    def get(self, path: str, **query: Any) -> Any:
        return self.send("get", path, query_params=query)

    def items(self, path: str, **query: Any) -> list[Any]:
        response = self.get(path, **query)
        assert response.status_code == 200, response.content
        return list(response.json()["items"])

    def post(self, path: str, body: Any) -> Any:
        return self.send("post", path, body)

    def patch(self, path: str, body: Any) -> Any:
        return self.send("patch", path, body)

    def delete(self, path: str) -> Any:
        return self.send("delete", path)


def fields(response: Any) -> dict[str, list[str]]:
    """What is wrong with which field of a refused request."""
    assert response.status_code == 422, response.content
    assert response.json()["@error"]["@message"] == "Validation failed"
    return dict(response.json()["@error"]["fields"])
