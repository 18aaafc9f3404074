"""Reads the tables that stand beside a module: what is data and not code, as JSON or as TOML."""

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table(module: str, name: str) -> Any:
    """The content of the file `name` beside `module`, which is its `__file__`. Read once, so nobody changes it."""
    text = Path(module).with_name(name).read_text(encoding="utf-8")
    return tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
