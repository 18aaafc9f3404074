"""What Prometheus is told of deployments, once their transaction is committed."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from contacts_app.core.metrics import Counted, Timed
from phones_app.deployment.models import Deployment

ENDED = Counted(
    "patchbay_deployments_total", "Deployments that ended, by result and by the code of the error.", "result", "code"
)
UPLOADS = Counted("patchbay_uploads_total", "Files that were uploaded and checked, by the kind of deployment.", "kind")
EVIDENCE = Timed(
    "patchbay_evidence_seconds",
    "From the restart of a phone, or the upload of its file, to the evidence that it took it, by its kind.",
    "kind",
    buckets=(1, 5, 15, 30, 60, 120, 300, 3600),
)


def count_changes(values: Mapping[str, Any], number: int) -> None:
    """So many deployments were given these values."""
    if values.get("finished_at"):
        transaction.on_commit(lambda: ENDED.add(values["state"], values.get("error_code", ""), by=number))


def count_uploads(deployments: Sequence[Deployment]) -> None:
    def count() -> None:
        for row in deployments:
            UPLOADS.add(row.kind)

    transaction.on_commit(count)


def time_evidence(deployments: Sequence[Deployment]) -> None:
    def measure() -> None:
        for row in deployments:
            began = row.restarted_at or row.uploaded_at
            if began and row.finished_at:
                EVIDENCE.took(max(0.0, (row.finished_at - began).total_seconds()), row.evidence["kind"])

    transaction.on_commit(measure)
