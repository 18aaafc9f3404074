"""Why a service will not do something: one family, each with a stable code that edges map to their own words."""

from collections.abc import Sequence

from phones_app.sep import Finding


class Refusal(Exception):
    """The request is understood and will not be done, for a reason that stands in the present data."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class ProfileRefused(Refusal):
    """The SEP file has errors; `findings` say where."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        super().__init__("profile-has-errors", "; ".join(describe(finding) for finding in findings))


def describe(finding: Finding) -> str:
    where = f"line {finding.line}" if finding.line else ""
    if finding.line and finding.column:
        where += f", column {finding.column}"
    return f"{where}: {finding.message}" if where else finding.message
