"""The checker of each kind of file, by the kind's name."""

from collections.abc import Callable

from profiles_app.phone.companions.background import picture_faults
from profiles_app.phone.companions.dial_template import check_dial_template, read_dial_template
from profiles_app.phone.companions.dialling import unreachable
from profiles_app.phone.companions.feature_policy import check_feature_policy
from profiles_app.phone.companions.lists import IMAGES, RINGS
from profiles_app.phone.companions.reading import error, warning
from profiles_app.phone.companions.ring_tone import tone_faults
from profiles_app.phone.companions.soft_keys import check_soft_keys
from profiles_app.phone.sep.elements import Finding, Severity


def _dial_template(content: bytes) -> list[Finding]:
    findings = check_dial_template(content)
    if any(finding.severity is Severity.ERROR for finding in findings):
        return findings
    return findings + unreachable(read_dial_template(content)[0].rules)


_CHECKS: dict[str, Callable[[bytes], list[Finding]]] = {
    "dial-template": _dial_template,
    "soft-keys": check_soft_keys,
    "feature-policy": check_feature_policy,
    "ring-list": RINGS.check,
    "background-list": IMAGES.check,
}


# Ring list and tones of 7940 and 7960 with SIP firmware: a text, and samples of which no limits are known.
_OF_OLD_PHONES = (".dat", ".pcm")
# So many are told of one file, those that keep phones from reading it first.
MOST_FINDINGS = 200
# Longer ones are none of these files.
LARGEST_CHECKED = 4_000_000


def is_checked(kind: str, path: str = "") -> bool:
    """Whether there is a checker for files of this kind, and of this name."""
    return (kind in _CHECKS or kind in ("ring-tone", "background")) and not path.lower().endswith(_OF_OLD_PHONES)


def check_companion(kind: str, content: bytes, path: str = "") -> list[Finding]:
    """What phones would make of the file; nothing for a kind that has no checker. `path` tells what a sound or a picture
    should be."""
    if not is_checked(kind, path):
        return []
    if kind in _CHECKS:
        return _told(_CHECKS[kind](content))
    if kind == "ring-tone" and (fault := tone_faults(path, content)):
        return [error("not-played", fault)]
    if kind == "background":
        return [error("not-shown", fault) for fault in picture_faults(path, content)]
    return []


def _told(findings: list[Finding]) -> list[Finding]:
    if len(findings) <= MOST_FINDINGS:
        return findings
    told = sorted(findings, key=lambda finding: finding.severity is not Severity.ERROR)[:MOST_FINDINGS]
    return [*told, warning("more", f"There are {len(findings) - MOST_FINDINGS:,} more.")]
