"""A phone that gives up its file tells nobody: it fetches it again every 15 to 45 seconds and nothing else (Cisco
phones spec §2.7). So the first fetch confirms a deployment, and the ones that follow may take that back.
"""

from datetime import datetime, timedelta
from itertools import pairwise

from django.utils import timezone

from phones_app.models import Deployment, FileFetch
from phones_app.models.deployment import State
from phones_app.services.transitions import rejected

# A phone that somebody switches off and on fetches its file twice.
FETCHES = 3
LONGEST_GAP = timedelta(seconds=60)
# Later than this after the restart it is no answer to the deployment.
WINDOW = timedelta(minutes=10)
# What a phone fetches within this time after its file it fetches because of the file.
FOLLOWING = timedelta(minutes=2)

MESSAGE = "The phone rejects the file: it fetched it {times} times within {seconds:.0f} s, and nothing that comes after."


def record_companion(*, address: str, file_name: str, at: datetime) -> None:
    """A file that is no phone's own was fetched from this address: who fetched its own there has accepted it."""
    before = FileFetch.objects.filter(
        address=address, fetched_at__gt=timezone.now() - FOLLOWING, fetched_at__lte=at
    )
    last = before.order_by("-fetched_at").first()
    if last is not None and not last.followed_by:
        FileFetch.objects.filter(pk=last.pk).update(followed_by=file_name)


def judge_repetition(fetch: FileFetch) -> None:
    """Find the deployment whose file this fetch shows to be rejected, in the transaction of the fetch."""
    deployment = (
        Deployment.objects.select_for_update()
        .filter(mac=fetch.mac, state=State.CONFIRMED, sha256=fetch.sha256)
        .filter(restarted_at__gte=fetch.fetched_at - WINDOW, restarted_at__lte=fetch.fetched_at)
        .order_by("-created_at")
        .first()
    )
    if deployment is None:
        return
    rows = FileFetch.objects.filter(
        mac=fetch.mac, protocol=fetch.protocol, fetched_at__gte=deployment.restarted_at
    )
    fetches = list(rows.order_by("fetched_at")[: FETCHES + 1])
    times = [row.fetched_at for row in fetches]
    if (
        len(fetches) < FETCHES
        or any(row.followed_by or row.sha256 != fetch.sha256 for row in fetches)
        or any(later - earlier > LONGEST_GAP for earlier, later in pairwise(times))
    ):
        return
    seconds = (times[-1] - times[0]).total_seconds()
    rejected({deployment: MESSAGE.format(times=len(times), seconds=seconds)})
