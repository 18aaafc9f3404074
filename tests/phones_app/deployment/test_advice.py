"""Every code that can end a deployment comes with words on what to do, on its page and in the operator's handbook."""

import ast
import re
from pathlib import Path

import pytest

from phones_app.deployment.outcome import advice_on, all_advice

ROOT = Path(__file__).resolve().parents[3]
SPOKEN = [*ROOT.glob("phones_app/transports/**/*.py"), *ROOT.glob("contacts_app/core/net/*.py")]
SPOKEN += [
    ROOT / "phones_app/deployment" / f"{name}.py"
    for name in ("steps", "transitions", "restart", "evidence", "identity", "record", "run", "batch")
]
SPOKEN.append(ROOT / "phones_app/servers/services.py")
# What the cockpit reads ends no deployment: whoever looks at a phone is told the words themselves.
SPOKEN.remove(ROOT / "phones_app/transports/phone_pages.py")
CODE = re.compile(r"[a-z]+(-[a-z0-9]+)*")


def codes_in(path: Path) -> set[str]:
    """What the file passes as `code=`, or as the first words of a Refusal or a Failed."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        values = [word.value for word in node.keywords if word.arg in ("code", "error_code")]
        if isinstance(node.func, ast.Name) and node.func.id in ("Refusal", "Failed"):
            values += node.args[:1]
        found |= {value.value for value in values if isinstance(value, ast.Constant)}
    return {code for code in found if CODE.fullmatch(code)}


def test_every_code_that_is_raised_has_advice():
    assert len(SPOKEN) > 20
    said = set().union(*(codes_in(path) for path in SPOKEN))
    assert len(said) > 20
    advised = {code for advice in all_advice() for code in advice.codes}
    assert said - advised == set()


def test_the_tables_of_ftp_and_asterisk_have_advice():
    from phones_app.transports.ftp.folder import ANSWER_CODES, FAILURES
    from phones_app.transports.restart.ami import REFUSALS
    from phones_app.transports.restart.cgi import _ERRORS

    for code in {code for _, code, *_ in FAILURES} | set(ANSWER_CODES.values()):
        assert advice_on(code, "upload"), code
    for code in {code for _, code, _ in REFUSALS} | {code for _, code in _ERRORS.values()}:
        assert advice_on(code, "restart"), code


@pytest.mark.parametrize("advice", all_advice(), ids=lambda advice: advice.codes[0])
def test_the_handbook_prints_the_table(advice):
    handbook = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    codes = ", ".join(f"`{code}`" for code in advice.codes)
    row = f"| {codes} | {advice.step or 'any'} | {advice.happened} | {advice.do} |"
    assert row in handbook, row


def test_a_code_means_one_thing_in_one_step():
    seen = [(code, advice.step) for advice in all_advice() for code in advice.codes]
    assert len(seen) == len(set(seen))
    assert advice_on("refused", "upload") != advice_on("refused", "restart")
