"""Feature policies of 8961, 9951 and 9971 phones: which of sixteen features people have (boot server spec §11.2)."""

from profiles_app.phone.companions.reading import (
    Unreadable,
    error,
    line_of,
    named,
    read_xml,
    text_of,
    warning,
    wrong_root,
)
from profiles_app.phone.sep.elements import Finding

# By their ids, from 1 on.
FEATURES = (
    "Forward All", "Park", "Divert (Alerting)", "Conference Details", "Speed Dial", "Call Back", "Redial", "Barge",
    "Divert (Connected)", "Call PickUp", "Other Call PickUp", "Group Call PickUp", "Mobility", "Meet Me",
    "Quality Reporting Tool", "Malicious Caller ID",
)  # fmt: skip


def check_feature_policy(content: bytes) -> list[Finding]:
    try:
        root = read_xml(content)
    except Unreadable as refused:
        return [refused.finding]
    if finding := wrong_root(root, ["featurePolicy"]):
        return [finding]
    findings, seen = list[Finding](), set[str]()
    for each in named(root, "featureDef"):
        number, name, line = text_of(each, "id"), str(each.get("name", "")), line_of(each)
        if not (number.isascii() and number.isdigit() and 1 <= int(number[:4]) <= len(FEATURES)):
            findings.append(
                error("unknown", f"“{name[:40]}”: ids are 1 to {len(FEATURES)}, not “{number[:20]}”.", line)
            )
            continue
        if number in seen:
            findings.append(warning("twice", f"The id {number} is there twice.", line))
        seen.add(number)
        if name.lower() != (usual := FEATURES[int(number) - 1]).lower():
            findings.append(warning("name", f"The id {number} is “{usual}”, here it is called “{name[:40]}”.", line))
        if text_of(each, "enable") not in ("true", "false"):
            findings.append(error("enable", f"“{usual}”: <enable> is true or false.", line))
    return findings
