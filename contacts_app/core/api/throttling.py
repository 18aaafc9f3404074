"""Counting requests in windows of time, and the portal's own limit for each credential (API_REQUESTS_PER_MINUTE).

Counted in the cache, which costs a request no query: a limit holds for all processes where CACHE_URL names a Redis, and
for each web process by itself where it does not.
"""

import time

from django.conf import settings
from django.core.cache import cache
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from contacts_app.core.actor import Actor
from contacts_app.core.api.idempotency import credential_of

MINUTE = 60


def over_limit(key: str, number: int, seconds: int) -> float | None:
    """Count a request; None, or when the window ends (Unix time) in which there were `number` before."""
    window = int(time.time() // seconds)
    key = f"{key}:{window}"
    # Should the window be forgotten between the two calls, this request begins it anew.
    cache.add(key, 0, seconds)
    try:
        count = cache.incr(key)
    except ValueError:
        return None
    return float((window + 1) * seconds) if count > number else None


class RateOfCredential(BaseThrottle):
    end: float | None = None

    def allow_request(self, request: Request, view: object) -> bool:
        number = settings.API_REQUESTS_PER_MINUTE
        if number and isinstance(request.user, Actor):
            self.end = over_limit(f"api-rate:{credential_of(request.user)}", number, MINUTE)
        return self.end is None

    def wait(self) -> float | None:
        return None if self.end is None else max(self.end - time.time(), 1.0)
