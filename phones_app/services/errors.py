"""What the services of phones refuse beyond the family's `Refusal`, and how findings are told to people."""

from collections.abc import Sequence

from contacts_app.services.errors import Refusal
from phones_app.sep import Finding


class ProfileRefused(Refusal):
    """The SEP file has errors; `findings` say where."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = list(findings)
        told = [describe(finding) for finding in findings]
        self.fields = {"cnf_xml": told}
        super().__init__("profile-has-errors", "; ".join(told))


def describe(finding: Finding) -> str:
    where = f"line {finding.line}" if finding.line else ""
    if finding.line and finding.column:
        where += f", column {finding.column}"
    return f"{where}: {finding.message}" if where else finding.message
