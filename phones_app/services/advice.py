"""What to do about a deployment that failed: the table `advice.toml`, looked up by step and error code."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import NamedTuple

from phones_app.models import Deployment, DeploymentStep
from phones_app.models.deployment import StepState


class Advice(NamedTuple):
    """One row of the table; an empty `step` means that the codes mean the same in every step."""

    codes: tuple[str, ...]
    step: str
    happened: str
    do: str


@cache
def all_advice() -> tuple[Advice, ...]:
    rows = tomllib.loads(files(__package__).joinpath("advice.toml").read_text(encoding="utf-8"))["advice"]
    return tuple(Advice(tuple(row["codes"]), row.get("step", ""), row["happened"], row["do"]) for row in rows)


def advice_on(code: str, step: str) -> Advice | None:
    """The row for a code that ended this kind of step; None for a code that speaks for itself, as `sip-486`."""
    return next((row for row in all_advice() if code in row.codes and row.step in ("", step)), None)


def advice_for(deployment: Deployment) -> Advice | None:
    failed = deployment.steps.filter(state=StepState.FAILED).order_by("-pk").values_list("kind", flat=True)
    return advice_on(deployment.error_code, failed.first() or DeploymentStep.Kind.UPLOAD)
