"""Celery's way in: a few lines each, no rules. Losing any message loses no work."""

from celery import shared_task

from phones_app.services import deployment_run, drift, inventory


@shared_task(ignore_result=True)
def run_due() -> None:
    """Carry out whatever deployments are due."""
    deployment_run.run_due()


@shared_task(ignore_result=True)
def look_due() -> None:
    """Look at the status pages of the phones whose turn it is."""
    inventory.look_due()


@shared_task(ignore_result=True)
def check_files_due() -> None:
    """Read back the phones' files whose turn it is."""
    drift.check_due()
