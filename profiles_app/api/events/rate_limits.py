"""The limits that the provider sets on how often it may be asked (events spec §6). Ours are off unless ops want them."""

import math
import time
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from rest_framework.exceptions import ErrorDetail, Throttled
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from contacts_app.api.authentication import client_address


@dataclass(frozen=True)
class Rule:
    requests: int
    seconds: int
    per_endpoint: bool
    per_account: bool  # or else per address


RULES = (
    Rule(30, 30, per_endpoint=True, per_account=True),
    Rule(360, 30, per_endpoint=True, per_account=False),
    Rule(120, 60, per_endpoint=False, per_account=True),
    Rule(1440, 60, per_endpoint=False, per_account=False),
)


class RateLimited(Throttled):
    """`limits` stand in the error as `@rateLimit`."""

    def __init__(self, rule: Rule, reset: int, wait: float) -> None:
        super().__init__(wait)
        self.detail = ErrorDetail("Too much requests", self.default_code)
        self.limits = {
            "RateLimit-Limit": rule.requests,
            "RateLimit-Remaining": 0,
            "RateLimit-Reset": reset,
            "Retry-After": math.ceil(wait),
        }


class RateLimits(BaseThrottle):
    """Counts requests in windows of time, in the cache: each process its own where the cache is not shared."""

    def allow_request(self, request: Request, view: Any) -> bool:
        if settings.EVENTS_RATE_LIMITS:
            endpoint = f"{view.basename}-{view.action or request.method}"
            for number, rule in enumerate(RULES):
                who = view.kwargs["voip_id"] if rule.per_account else client_address(request)
                what = endpoint if rule.per_endpoint else ""
                _count(rule, f"events-rate:{number}:{who}:{what}")
        return True


def _count(rule: Rule, key: str) -> None:
    now = time.time()
    window = int(now // rule.seconds)
    key = f"{key}:{window}"
    # Should the window be forgotten between the two calls, this request begins it anew.
    cache.add(key, 0, rule.seconds)
    try:
        count = cache.incr(key)
    except ValueError:
        return
    if count > rule.requests:
        reset = (window + 1) * rule.seconds
        raise RateLimited(rule, reset, max(reset - now, 1))
