"""The Celery application: workers carry out what the database rows say (`manage.py sweep` finds rows that are due)."""

import gc
import os
from typing import Any

from celery import Celery, Task
from celery.signals import setup_logging, worker_init, worker_ready

from contacts_app.core.history.authorship import Author, authored

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
# They load every page and route, which no worker needs; `manage.py check` and `serve` make them.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")


class RecordedTask(Task):  # type: ignore[misc]
    """What a task changes stands in history as a task's work; services that know whose wish it was say so."""

    def __call__(self, *args: object, **kwargs: object) -> Any:
        with authored(lambda: Author("system", "task")):
            return super().__call__(*args, **kwargs)


app = Celery("patchbay", task_cls=RecordedTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# For every thread: without this only the importing one knows the configuration.
app.set_default()


def log_as_every_process(**_: object) -> None:
    """Celery would set the level of all loggers, by default so that a worker tells nothing of what it does."""


setup_logging.connect(log_as_every_process)


def begin_with_the_embedded_broker(**_: object) -> None:
    """Look at it five times a second, as it takes no such option through its URL; a damaged file is replaced."""
    from contacts_app.core.work.broker import embedded_file, mend

    if embedded_file() is not None:
        from kombu.transport.sqlalchemy import Transport

        Transport.polling_interval = 0.2
        mend()


worker_init.connect(begin_with_the_embedded_broker)


def leave_what_is_loaded_alone(**_: object) -> None:
    """Modules and models stay for as long as the worker does; looking through them for garbage takes a tenth of a second
    each time.
    """
    gc.collect()
    gc.freeze()


worker_ready.connect(leave_what_is_loaded_alone)
