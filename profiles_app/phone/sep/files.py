"""A phone's file of any format: what it says, and what is wrong with it, also with its name."""

from profiles_app.phone.sep import checks, device_facts, plain_text
from profiles_app.phone.sep.device_facts import Facts
from profiles_app.phone.sep.document import parse
from profiles_app.phone.sep.elements import Finding, Severity
from profiles_app.phone.sep.file_names import NAME_OF_FORMAT, SIP_TEXT, is_plain_text, named, other_file


def facts_of(content: bytes) -> Facts:
    """What a file says, whatever its format. Raises Refused."""
    if is_plain_text(content):
        return plain_text.facts(plain_text.read(content))
    return device_facts.facts(parse(content))


def check(
    content: bytes, *, file_name: str | None = None, model: str = "", software_type: str | None = None
) -> list[Finding]:
    """Return what is wrong with a file, errors first, then in the order of the file. Never raises."""
    if is_plain_text(content):
        for_all = file_name == plain_text.DEFAULT_FILE
        findings = plain_text.check(content, model=model, software_type=software_type, for_all=for_all)
    else:
        findings = checks.check(content, model=model, software_type=software_type)
    fault = None if file_name is None else name_fault(file_name, content)
    return [fault, *findings] if fault else findings


def name_fault(name: str, content: bytes) -> Finding | None:
    """What is wrong with the name of a file with this content."""
    found, is_text = named(name), is_plain_text(content)
    if found is None and not (is_text and name == plain_text.DEFAULT_FILE):
        known = other_file(name)
        message = f"“{name}” is not {NAME_OF_FORMAT['']} with the 12 upper-case digits of a phone"
        return Finding("file-name", Severity.ERROR, f"{message}: {known}" if known else message)
    if found is not None and (found[0] == SIP_TEXT) != is_text:
        what = f"the text of {NAME_OF_FORMAT[SIP_TEXT]}" if is_text else "XML"
        return Finding("file-name", Severity.ERROR, f"“{name}” holds {what}, which no phone reads under this name")
    return None
