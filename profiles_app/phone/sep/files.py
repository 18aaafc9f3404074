"""A phone's file of any format: what it says, what is wrong with it, also with its name, and what lies beside it on its
server, or should: the files that it names, and those that take its place.

Which a phone fetches for its language depends on its family, by the table companion_files.toml.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

from contacts_app.core.tables import table
from profiles_app.phone.sep import catalogue, checks, device_facts, plain_text
from profiles_app.phone.sep.catalogue import NAME_OF_FORMAT, SIP_TEXT, is_plain_text, named, other_file
from profiles_app.phone.sep.device_facts import Facts
from profiles_app.phone.sep.document import parse
from profiles_app.phone.sep.elements import Finding, Severity

# What a phone of a secured cluster takes before the plain file, by the MAC address (Cisco phones spec §3.9).
_TAKEN_FIRST = (*(f"SEP{{}}.cnf.xml{ending}" for ending in (".sgn", ".enc", ".enc.sgn", ".tlv")), "CTLSEP{}.tlv")
# What facts say of companions.
_FACTS = ("protocol", "load", "load_models", "module_loads", "files", "user_locale", "tones")


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


class Companion(NamedTuple):
    """A file that a phone's own file names, kept under one of `names`; `code` and `missing` tell that it is not there."""

    names: tuple[str, ...]
    code: str
    missing: str


def companions(facts: Mapping[str, Any], *, model: str = "", runs: str = "") -> Iterator[Companion]:
    """What a phone with a file of these facts fetches beside it; `runs` is the load that it has already."""
    load = facts.get("load", "")
    if load and load != runs:
        absent = f"the load {load} is not on the file server, or not all of it"
        message = f"{absent}; a phone which cannot fetch it may restart over and over"
        yield Companion(catalogue.files_of_load(load), "load-set", message)
    for module in facts.get("module_loads", ()):
        message = f"the load {module} of an add-on module is not on the file server"
        yield Companion(_files_of_module(module), "load-set", message)
    for name in facts.get("files", ()):
        yield _named(name, f"the file names {name}, which is not on the file server")
    family = _family(model, facts)
    language, tones = facts.get("user_locale", ""), facts.get("tones", "")
    software = str(facts.get("protocol", "")).lower()
    if language and software and "jar" in family and language not in family["built_in_languages"]:
        name = f"{language}/{family['jar']}-{software}.jar"
        message = f"the language of the file, {name}, is not on the file server: the phone shows English"
        yield _named(name, message)
    if tones and "tones" in family and tones not in family["built_in_tones"]:
        name = f"{tones}/{family['tones']}-tones.xml"
        message = f"the tones of the file, {name}, are not on the file server"
        yield _named(name, f"{message}: the phone plays those of the United States")


def of_companions(facts: Mapping[str, Any]) -> dict[str, Any]:
    """As much of the facts as `companions` needs."""
    return {name: facts[name] for name in _FACTS if facts.get(name)}


def watched(mac: str, facts: Mapping[str, Any], *, model: str = "") -> frozenset[str]:
    """The names on the file server that say something about a phone's file with these facts, there or missing."""
    named = [name for companion in companions(facts, model=model) for name in companion.names]
    return frozenset([*(name.format(mac) for name in _TAKEN_FIRST), *named])


def beside(
    mac: str, facts: Mapping[str, Any], present: Collection[str] | None, *, model: str = "", runs: str = ""
) -> list[Finding]:
    """What to know of the names that are `present` of those watched; `present` of None means not known."""
    if present is None:
        return []
    stale = [name for name in (each.format(mac) for each in _TAKEN_FIRST) if name in present]
    messages = [("stale-companion", f"{name} lies beside the file; a secured phone takes it instead") for name in stale]
    messages += [
        (companion.code, companion.missing)
        for companion in companions(facts, model=model, runs=runs)
        if not any(name in present for name in companion.names)
    ]
    return [Finding(code, Severity.WARNING, message) for code, message in messages]


def _named(name: str, missing: str) -> Companion:
    return Companion((name,), "missing-companion", missing)


def _files_of_module(load: str) -> tuple[str, ...]:
    # Some files name the load of a module as a file, as the module's own documents do.
    names = catalogue.files_of_load(load)
    return (load, *names, *(f"{load}{ending}" for ending in (".SBN", ".zz.sgn")))


def _family(model: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    """The row of the model, or that of all models that the file's load is for; {} where that is not one row."""
    models = [catalogue.normalise_model(model)] if model else list(facts.get("load_models", ()))
    rows = [_families().get(each, {}) for each in models]
    return rows[0] if rows and all(row is rows[0] for row in rows) else {}


@cache
def _families() -> dict[str, dict[str, Any]]:
    tables = table(__file__, "companion_files.toml")
    built_in = {name: tables[name] for name in ("built_in_languages", "built_in_tones")}
    rows = [(row["models"], row | built_in) for row in tables["family"]]
    return {model: row for models, row in rows for model in models}
