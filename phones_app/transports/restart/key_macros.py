"""Key macros: the key presses that restart a phone which has no other way, as data that people can edit.

There is no URI that restarts a phone; only simulated keys do, and they differ by model and firmware (Cisco
phones spec §1.3, §1.4). Pressing them is the business of `cgi`.
"""

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

DEFAULT_MACROS = Path(__file__).with_name("key_macros.toml")

MAX_STEPS = 40
MAX_PAUSE = 10.0

# What the phone does by itself. Addresses are left out: a macro must not make a phone fetch something.
_URI = re.compile(r"(?:Key|SoftKey|Init|App|Display|Device):[A-Za-z0-9:<>]{1,64}")
_PAUSE = re.compile(r"pause (\d{1,3}(?:\.\d{1,3})?)")
_NUMBER = re.compile(r"\d{3,4}")


@dataclass(frozen=True)
class Step:
    """One URI, and how many seconds the phone needs before the next."""

    uri: str
    pause: float = 0.0


@dataclass(frozen=True)
class Macro:
    """What to press on which models: `models` are fnmatch patterns on the bare number, such as `79[46]?`.

    `evidence` tells people how far to trust it.
    """

    name: str
    models: tuple[str, ...]
    steps: tuple[Step, ...]
    evidence: str = ""


def parse_steps(text: str) -> tuple[Step, ...]:
    """Read steps as people write them, `Key:Settings` or `pause 0.5` a line; ValueError names a bad one."""
    steps: list[Step] = []
    for number, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        pause = _PAUSE.fullmatch(line)
        if not line:
            continue
        if pause and steps and not steps[-1].pause and float(pause[1]) <= MAX_PAUSE:
            steps[-1] = Step(steps[-1].uri, float(pause[1]))
        elif _URI.fullmatch(line):
            steps.append(Step(line))
        else:
            raise ValueError(
                f"line {number}: {line!r} is neither a URI such as Key:Settings nor, after one, "
                f"a single pause of at most {MAX_PAUSE:g} seconds"
            )
    if not 0 < len(steps) <= MAX_STEPS:
        raise ValueError(f"a macro has 1 to {MAX_STEPS} steps, this one has {len(steps)}")
    return tuple(steps)


def format_steps(steps: Iterable[Step]) -> str:
    """Write steps so that `parse_steps` reads them again."""
    return "\n".join(f"{step.uri}\npause {step.pause:g}" if step.pause else step.uri for step in steps)


def load_macros(source: str | Path = DEFAULT_MACROS) -> list[Macro]:
    """Read macros from TOML, a file or its text; ValueError says which one is wrong."""
    text = source.read_text(encoding="utf-8") if isinstance(source, Path) else source
    macros = []
    for entry in tomllib.loads(text).get("macro", []):
        try:
            models, steps = tuple(map(str, entry["models"])), parse_steps(entry["steps"])
            macros.append(Macro(str(entry["name"]), models, steps, str(entry.get("evidence", ""))))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ValueError(f"macro {entry.get('name', '?')!r}: {error}") from error
    return macros


def macro_for(model: str, macros: Iterable[Macro]) -> Macro | None:
    """Return the first macro for a model, written `CP-7962G` or `7962`; their order decides."""
    found = _NUMBER.search(model)
    number = found[0] if found else model
    return next((each for each in macros if any(fnmatchcase(number, like) for like in each.models)), None)
