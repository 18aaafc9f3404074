"""What every answer to a browser has: a policy against foreign content, an icon, errors that people can read."""

import pytest
from django.test import Client, override_settings
from django.urls import path

from config import urls

FOREIGN = ("http://", "https://", "//fonts")


def fail(_request):
    raise RuntimeError("secret detail")


urlpatterns = [path("fail", fail), *urls.urlpatterns]
handler404, handler500 = urls.handler404, urls.handler500


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("url", "source"),
    [(url, "'self'") for url in ("/admin/login/", "/api/docs", "/api/redoc", "/nowhere")]
    + [(url, "'none'") for url in ("/healthz", "/api/v1/me", "/v4/ping", "/rest/nowhere")],
)
def test_nothing_is_loaded_from_elsewhere(url, source):
    """An answer to a program is no page: not even what is ours is loaded, should a browser show it as one."""
    answer = Client().get(url)
    assert f"default-src {source}" in answer["Content-Security-Policy"]
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert not [word for word in FOREIGN if f'href="{word}' in answer.text or f'src="{word}' in answer.text]


def test_there_is_an_icon(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.url.endswith(".svg")) == (302, True)


@pytest.mark.django_db
def test_only_pages_have_sessions_and_messages(client):
    asked = {url: client.get(url).wsgi_request for url in ("/admin/login/", "/api/v1/me", "/cisco/services/dir")}
    has = {url: [hasattr(request, name) for name in ("session", "_messages")] for url, request in asked.items()}
    assert has == {"/admin/login/": [True, True], "/api/v1/me": [False, False], "/cisco/services/dir": [False, False]}


@pytest.mark.django_db
@override_settings(ROOT_URLCONF="tests.test_pages_for_browsers")
def test_errors_are_pages_of_their_own_without_details():
    client = Client(raise_request_exception=False)
    for url, status, words in [("/nowhere", 404, "There is no page"), ("/fail", 500, "The error was logged")]:
        answer = client.get(url)
        assert (answer.status_code, answer["Content-Type"]) == (status, "text/html; charset=utf-8")
        assert words in answer.text
        assert "secret detail" not in answer.text
        assert "<title>" in answer.text
