"""Celery's way in: a few lines each, no rules. Losing any of these messages loses no work."""

from celery import shared_task

from phones_app.services import deployment_run


@shared_task(ignore_result=True)
def run_due() -> None:
    """Carry out whatever deployments are due."""
    deployment_run.run_due()


@shared_task(ignore_result=True)
def sweep() -> None:
    """Wake a worker if rows are due that nobody was nudged for."""
    deployment_run.sweep()
