"""What phones differ in where they show something: by their series (`series.toml`), and by the charsets they offer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from contacts_app.core.tables import table
from profiles_app.phone.sep.catalogue import normalise_model

# In the order of the old phones: all are known to read these, those that do not say what they read as well.
READ_BY_ALL = "iso-8859-1, utf-8;q=0.8"
KNOWN_CHARSET = re.compile(r"utf-8|us-ascii|iso-8859-(?:[1-9]|1[03-6])")


@dataclass(frozen=True)
class Series:
    """The phones that show things alike; `series.toml` says what the fields mean."""

    name: str
    models: tuple[str, ...]
    prompt: bool
    directory_menu: bool
    post: bool
    lacks: frozenset[str]
    positions: Mapping[str, int]


_TABLES: dict[str, Any] = table(__file__, "series.toml")
SERIES = {
    row["name"]: Series(**row | {"models": tuple(row["models"]), "lacks": frozenset(row["lacks"])})
    for row in _TABLES["series"]
}
# Name and URL of a soft key by what it does.
KEYS: dict[str, list[str]] = _TABLES["keys"]


def parse_choices(text: str) -> dict[str, str]:
    """The series of models that a site has found to be of another one: `8821=79xx, 8831=69xx`. Raises ValueError."""
    choices = {}
    for choice in filter(None, (part.strip() for part in text.split(","))):
        model, _, name = (part.strip() for part in choice.partition("="))
        if not model or name not in SERIES:
            raise ValueError(f"“{choice}” is not MODEL=SERIES with one of {', '.join(SERIES)}")
        choices[model] = name
    return choices


@lru_cache(maxsize=1024)
def series_of(model: str, choices: str = "") -> Series:
    """The series of a model, however it is written, where `choices` name no other one for it."""
    number = normalise_model(model)
    for beginning, name in parse_choices(choices).items():
        if number.startswith(beginning):
            return SERIES[name]
    return next(series for series in SERIES.values() if number.startswith(series.models))


@lru_cache(maxsize=256)
def charsets_of(accepted: str) -> tuple[str, ...]:
    """What an `Accept-Charset` offers, the best for the phone first."""
    offers: dict[str, float] = {}
    for offer in accepted.lower().split(","):
        name, _, parameter = (part.strip() for part in offer.partition(";"))
        name = "utf-8" if name == "*" else name
        if KNOWN_CHARSET.fullmatch(name):
            offers.setdefault(name, _weight(parameter))
    found = sorted((name for name, weight in offers.items() if weight > 0), key=lambda name: -offers[name])
    return tuple(found) or charsets_of(READ_BY_ALL)


def _weight(parameter: str) -> float:
    try:
        return float(parameter.replace(" ", "").removeprefix("q="))
    except ValueError:
        return 1.0
