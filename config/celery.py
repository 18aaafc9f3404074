"""The Celery application: workers carry out what the database rows say (`manage.py sweep` finds rows that are due)."""

import os

from celery import Celery
from celery.signals import worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("patchbay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# For every thread: without this only the importing one knows the configuration.
app.set_default()


@worker_init.connect
def look_often(**_: object) -> None:
    """The embedded broker is looked at five times a second; it takes no such option through its URL."""
    if app.conf.broker_url.startswith("sqla"):
        from kombu.transport.sqlalchemy import Transport

        Transport.polling_interval = 0.2
