"""The Celery application: workers carry out what the database rows say (`manage.py sweep` finds rows that are due)."""

import os

from celery import Celery
from kombu.transport.sqlalchemy import Transport

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("patchbay")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# For every thread: without this only the importing one knows the configuration.
app.set_default()

# The embedded broker is looked at this often (seconds); it takes no such option through its URL.
Transport.polling_interval = 0.2
