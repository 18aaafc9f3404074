"""The same callers as in messaging: all are parts of one dialect."""

from tests.profiles_app.messaging.conftest import anybody, api, lease, profile, stranger  # noqa: F401
