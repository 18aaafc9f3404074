"""Mistakes in the configuration of service profiles, told when the server starts."""

from typing import Any

from django.core.checks import CheckMessage, Error

from profiles_app.services.preset import PresetsUnreadable, preset_values


def presets_are_readable(**_: Any) -> list[CheckMessage]:
    try:
        preset_values()
    except PresetsUnreadable as unreadable:
        hint = "MYACCOUNT_PRESETS_FILE names the file; profiles_app/myaccount_presets.toml is an example."
        return [Error(str(unreadable), hint=hint, id="profiles.E001")]
    return []
