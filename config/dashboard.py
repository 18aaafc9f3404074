"""The first page of the admin: the panels of all apps, for what this person may see."""

from typing import Any

from django.http import HttpRequest

from phones_app.deployment.admin import overview as phones
from profiles_app.events.admin import overview as profiles


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    return context | {"title": "Overview", "panels": [*phones.panels(request), *profiles.panels(request)]}
