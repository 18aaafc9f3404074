"""Reads the tables that stand beside a module: data that is no code, as JSON or TOML."""

import json
import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table(module: str, name: str) -> Any:
    """The file `name` beside `module`, which is a `__file__`. The content is cached: callers must not change it."""
    text = Path(module).with_name(name).read_text(encoding="utf-8")
    return tomllib.loads(text) if name.endswith(".toml") else json.loads(text)
