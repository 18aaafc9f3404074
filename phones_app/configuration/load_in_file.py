"""A phone's file with another firmware than it would name: made so from data, or put into a file written by hand."""

from collections.abc import Mapping
from typing import Any

from contacts_app.core.errors import Refusal
from phones_app.configuration.gather import LOAD, Gathered
from profiles_app.phone import sep
from profiles_app.phone.rendering.fragments import with_text
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.settings import find_setting
from profiles_app.phone.rendering.values import merge
from profiles_app.phone.sep.document import decode, encode


def path_of_load() -> str:
    """The element of the file that names the firmware."""
    setting = find_setting(LOAD)
    return setting.path if setting is not None else "loadInformation"


def with_load(content: bytes, load: str) -> bytes:
    """The file with this firmware, and not another byte changed. Raises Refusal."""
    try:
        return encode(with_text(decode(content), path_of_load(), load))
    except (RenderRefused, sep.Refused, ValueError):
        raise Refusal(
            "no-load-in-file",
            f"The file is written by hand, and {path_of_load()} does not stand in it once: write it there first.",
        ) from None


def check_made(facts: Mapping[str, Any], load: str, gathered: Gathered) -> None:
    """Raises Refusal where the file that was made with this firmware names another."""
    if facts.get("load") == load:
        return
    value = merge(gathered.layers).get(LOAD)
    if value is not None and value.locked:
        raise Refusal(
            "load-locked", f"The load is locked by {value.locked_by}: take the lock away, or give that the load."
        )
    raise Refusal("load-not-used", "The template puts no load into the file.")
