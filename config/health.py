"""Is it alive, and is it ready? /healthz asks nothing of anybody; /readyz looks at everything the work needs."""

from datetime import timedelta
from typing import Any

from celery import current_app
from django.conf import settings
from django.db import connection
from django.db.utils import Error as DatabaseError
from django.http import HttpRequest, JsonResponse

from contacts_app.core.schema import schema_difference
from contacts_app.core.work import clock
from contacts_app.core.work.models import WorkStatus
from contacts_app.core.work.wake import SWEEP, overdue

# A sweep that is this late (in its own periods) is not running, and work due this long is not taken.
LATE_PERIODS = 10
OVERDUE = timedelta(minutes=2)
# What a process must have to take requests; the rest is told.
NEEDED = ("database", "migrations", "sweep", "broker")


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, broker, migrations and the periodic sweep are in order, else 503 and what is not."""
    checks = readiness()
    ready = all(checks[name] == "ok" for name in NEEDED)
    return JsonResponse({"status": "ok" if ready else "not ready", **checks}, status=200 if ready else 503)


def readiness() -> dict[str, Any]:
    """How each part is: "ok", or what is wrong with it; and how many rows of each kind of work are overdue."""
    checks: dict[str, Any] = {"database": _database(), "migrations": "unknown", "sweep": "unknown", "broker": _broker()}
    if checks["database"] == "ok":
        checks["migrations"] = _migrations()
        if checks["migrations"] == "ok":
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


def _migrations() -> str:
    return str(schema_difference()) or "ok"


def _broker() -> str:
    if settings.CELERY_TASK_ALWAYS_EAGER:
        return "ok"
    try:
        with current_app.connection_for_write(connect_timeout=1) as broker:
            broker.ensure_connection(max_retries=1, interval_start=0, timeout=1)
    except Exception:
        # Each transport has its own family of errors; all of them mean that no message gets through.
        return "not reachable"
    return "ok"


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
