"""The roof: settings, URLs, Celery and WSGI. It knows all apps; no app imports it."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
