"""Which files beside its own a phone asks for, by its family, its language and its software."""

import pytest

from contacts_app.core.tables import table
from profiles_app.phone import sep
from profiles_app.phone.sep import files

FILE = """<device><deviceProtocol>{protocol}</deviceProtocol>
<userLocale><name>{language}</name></userLocale><networkLocale>{country}</networkLocale>
<addOnModules><addOnModule idx="1"><loadInformation>B015-1-0-4</loadInformation></addOnModule></addOnModules>
</device>"""


def named(model: str, protocol: str = "SIP", language: str = "German_Germany", country: str = "Germany") -> list[str]:
    content = FILE.format(protocol=protocol, language=language, country=country).encode()
    facts = sep.facts(sep.parse(content)).as_dict()
    return [one.names[0] for one in sep.companions(facts, model=model)]


def test_every_model_of_the_table_is_known_and_in_one_row():
    models = [model for row in table(files.__file__, "companion_files.toml")["family"] for model in row["models"]]
    assert len(models) == len(set(models))
    assert [model for model in models if sep.catalogue.find(model) is None] == []


@pytest.mark.parametrize(
    ("model", "protocol", "files"),
    [
        ("CP-7962G", "SCCP", ["German_Germany/mk-sccp.jar", "Germany/g3-tones.xml"]),
        ("9951", "SIP", ["German_Germany/lk-sip.jar", "Germany/g4-tones.xml"]),
        ("8865", "SIP", ["German_Germany/sl-bev-sip.jar", "Germany/g3-tones.xml"]),
        ("7925", "SCCP", ["Germany/g3-tones.xml"]),
        ("8831", "SIP", []),
        ("", "SIP", []),
    ],
)
def test_the_language_has_the_jar_of_the_family(model, protocol, files):
    assert named(model, protocol)[1:] == files


def test_what_phones_have_built_in_is_not_asked_for_and_modules_have_a_load():
    assert named("8865", language="English_United_States", country="United_States") == ["B015-1-0-4"]


def test_names_that_lead_elsewhere_are_none():
    assert named("8865", language="../etc", country="a/b") == ["B015-1-0-4"]
