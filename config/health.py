"""Is it alive, is it ready, and how much does it do? /healthz asks nothing of anybody, /readyz looks at everything the
work needs, /metrics is for Prometheus.
"""

import hmac
from datetime import timedelta
from ipaddress import ip_address
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe

from config.proxies import UNKNOWN
from contacts_app.core import disk, metrics
from contacts_app.core.memory import Memory
from contacts_app.core.schema import schema_difference
from contacts_app.core.work import clock
from contacts_app.core.work.broker import mend, round_trip
from contacts_app.core.work.models import WorkStatus, note_run
from contacts_app.core.work.wake import SWEEP, overdue

# A sweep that is this late (in its own periods) is not running, and work due this long is not taken.
LATE_PERIODS = 10
OVERDUE = timedelta(minutes=2)
PROBE = "readyz"
# Everybody may ask, and each answer writes to the database, the broker and the disk.
_last: Memory[dict[str, Any]] = Memory(seconds=1.0)
# What a process must have to take requests; the rest is told.
NEEDED = ("database", "migrations", "sweep", "broker", "disk")


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker, disk, schema and the periodic sweep are in order, else 503 and what is not."""
    checks = _last.get(PROBE) or _last.put(PROBE, readiness())
    ready = all(checks[name] == "ok" for name in NEEDED)
    return JsonResponse({"status": "ok" if ready else "not ready", **checks}, status=200 if ready else 503)


def readiness() -> dict[str, object]:
    """How each part is: "ok", or what is wrong with it; and how many rows of each kind of work are overdue."""
    checks: dict[str, Any] = {"database": _database(), "migrations": "unknown", "sweep": "unknown"}
    checks |= {"broker": _broker(), "disk": _disk()}
    if checks["database"] == "ok":
        checks["migrations"] = _migrations()
        if checks["migrations"] == "ok":
            checks["database"] = _writes()
            checks["sweep"] = _sweep()
            checks["clock"] = _clock()
            checks |= {f"overdue_{name}": number for name, number in overdue(OVERDUE).items()}
    return checks


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "not reachable"
    return "ok"


def _writes() -> str:
    try:
        note_run(PROBE)
    except DatabaseError as error:
        return "its disk is full" if "full" in str(error) or "No space left" in str(error) else "takes no writes"
    return "ok"


def _migrations() -> str:
    return str(schema_difference()) or "ok"


def _broker() -> str:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        return "ok"
    for is_mended in (False, True):
        try:
            round_trip()
            return "ok"
        except Exception:
            # Each transport has its own family of errors; all of them mean that no message gets through.
            if is_mended or not mend():
                break
    return "no message gets through"


def _disk() -> str:
    """Whether what has to be kept in the data folder finds room."""
    try:
        room = disk.room()
        disk.try_to_write()
    except OSError as error:
        return error.strerror or "cannot be written"
    return f"{room.free // 2**20} MB left" if room.is_too_little else "ok"


def _clock() -> str:
    """Rows are stamped by the database's clock, so a wrong one of ours stops no work; what it logs is misdated."""
    skew = clock.clock_skew()
    if abs(skew) <= clock.NOTABLE:
        return "ok"
    return f"{abs(skew).total_seconds():.0f} s {'behind' if skew > timedelta(0) else 'ahead of'} the database's"


def _sweep() -> str:
    last = WorkStatus.objects.filter(name=SWEEP).first()
    if last is None:
        return "has not run yet"
    age = clock.now() - last.ran_at
    late = age > timedelta(seconds=settings.SWEEP_SECONDS * LATE_PERIODS)
    return f"last ran {age.total_seconds():.0f} s ago" if late else "ok"


@require_safe
def exposition(request: HttpRequest) -> HttpResponse:
    """All numbers, for who knows METRICS_TOKEN; without one for this machine alone, and not through a proxy."""
    if not _may_see_numbers(request):
        return HttpResponse("Forbidden", status=403, content_type="text/plain")
    return HttpResponse(metrics.exposition(), content_type=metrics.CONTENT_TYPE)


def _may_see_numbers(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        said = request.META.get("HTTP_AUTHORIZATION", "")
        return hmac.compare_digest(said.encode(), f"Bearer {settings.METRICS_TOKEN}".encode())
    try:
        return ip_address(request.META["REMOTE_ADDR"]).is_loopback and UNKNOWN not in request.META
    except ValueError:
        return False
