"""Every built-in template for every model it is for: no finding of the checker, and nothing that the phone cannot take
(configuration spec §4.4).
"""

from dataclasses import replace

import pytest

from profiles_app.phone import sep
from profiles_app.phone.rendering.built_in import all_built_in, built_in_for, find_built_in
from profiles_app.phone.rendering.keys import all_kinds, find_kind, kinds_for
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import Rendering, names_of, render
from profiles_app.phone.rendering.series import series_of
from profiles_app.phone.rendering.settings import Setting, all_settings, check_value
from profiles_app.phone.rendering.values import DeviceOf, KeyOf, LayerOf, LineOf
from profiles_app.phone.sep import catalogue, elements
from profiles_app.phone.sep.document import Document, integer, parse, value_of

PHONES = [(template.name, model) for template in all_built_in() for model in template.models]
NEEDED = {"call_managers": "10.1.2.3", "authentication_url": "http://pbx.example.org/authenticate"}
LINE = LineOf("201", auth_name="201", auth_password="Line-Pass-1", display_name="Ann", label="Ann 201", voicemail="*97")
# What two settings say together, in both of the rounds below.
TOGETHER: list[dict[str, str]] = [
    {"transport": "tcp", "security_mode": "none", "web_access": "on"},
    {"transport": "tls", "security_mode": "encrypted", "web_access": "read-only"},
]
# Loads belong to one model; `both` suits any call manager.
FIXED = {"load": "", "inactive_load": "", "module_load": "B016-1-0-4SR1", "ip_mode": "both"}
EXTREMES = {
    "host": ("pbx.example.org", "10.1.2.3"),
    "url": ("http://h/", "https://pbx.example.org/" + "x" * 231),
    "time": ("00:00", "24:00"),
    "time-zone": ("UTC", "Asia/Kolkata"),
}
# Texts of a pattern: the shortest and the longest.
TEXTS = {
    "date_format": ("D/M/Y", "M.D.YYA"),
    "number_mask": ("X", "5" * 50),
    "messages_number": ("9", "*" * 50),
    "user_locale_code": ("de", "de_DE"),
}


def extreme(setting: Setting, turn: int) -> str:
    if setting.type == "list":
        number = setting.most if turn else 1
        if setting.choices:
            return ", ".join(list(setting.choices)[:number])
        text = {"host": "pbx{}.example.org", "url": "https://vpn{}.example.org/svc", "text": "{}F0E1"}[setting.of]
        return ", ".join(text.format(each) for each in range(number))
    if setting.choices:
        return list(setting.choices)[-turn]
    if setting.range:
        return str(setting.range[turn])
    chosen = EXTREMES.get(setting.type) or TEXTS.get(setting.name) or ("a", "a" * setting.longest)
    return chosen[turn]


def values_of(turn: int) -> dict[str, str]:
    values = {setting.name: check_value(setting, extreme(setting, turn)) for setting in all_settings()}
    return values | FIXED | TOGETHER[turn]


def modules_of(model: str, turn: int = 0) -> tuple[str, ...]:
    """As many modules as a phone takes, all of one kind."""
    device = catalogue.find(model)
    assert device is not None
    fitting = [module.name for module in device.modules if module.load in ("", "B016")]
    return (fitting[-turn],) * 3 if fitting else ()


def keys_of_every_kind() -> list[KeyOf]:
    """Two keys of each kind, on the phone and on the first module."""
    found = []
    for module in (0, 1):
        for position, kind in enumerate(all_kinds(), 2):
            target = {"url": "http://pbx.example.org/page", "number": "4711,1"}.get(kind.needs, "")
            found.append(
                KeyOf(module, position, kind.name, position, target, kind.label, {"pickup": "on", "index": "7"})
            )
    return found


def made(template: str, model: str, values: dict[str, str], **given: object) -> Rendering:
    found = find_built_in(template)
    assert found is not None
    modules = given.pop("modules", ())
    device = DeviceOf("00005E005301", model, found.software, modules=modules)  # type: ignore[arg-type]
    layers = [LayerOf("account", "account 1", values=values)]
    return render(found.text, device=device, layers=layers, **{"lines": [LINE], **given})  # type: ignore[arg-type]


def findings(content: bytes, model: str, software: str) -> list[str]:
    found = sep.check(content, file_name="SEP00005E005301.cnf.xml", model=model, software_type=software)
    return [f"{finding.code}: {finding.message}" for finding in found]


def software_of(template: str) -> str:
    return "SCCP" if template.startswith("sccp") else "SIP"


def buttons(document: Document) -> dict[int, str]:
    keys = document.find_all("sipProfile/sipLines/line")
    return {integer(key.get("button", "")) or 0: value_of(key.find("featureID")) for key in keys}


@pytest.mark.parametrize(("template", "model"), PHONES)
def test_the_checker_finds_nothing(template, model):
    software = software_of(template)
    assert findings(made(template, model, NEEDED).content, model, software) == []
    for turn in (0, 1):
        lines = [replace(LINE, extension=str(201 + number)) for number in range(4 * turn + 1)]
        given = {"lines": lines, "keys": keys_of_every_kind(), "modules": modules_of(model, turn)}
        rendering = made(template, model, values_of(turn), **given)
        assert findings(rendering.content, model, software) == []


@pytest.mark.parametrize(("template", "model"), [phone for phone in PHONES if phone[0].startswith("sip")])
def test_a_feature_stands_only_on_phones_that_know_it(template, model):
    rendering = made(template, model, NEEDED, keys=keys_of_every_kind(), modules=modules_of(model), lines=[LINE] * 40)
    written = set(buttons(parse(rendering.content)).values())
    assert written <= {kind.feature for kind in kinds_for(model)}
    # Those that it does not know are told, each.
    unknown = [kind for kind in all_kinds() if kind not in kinds_for(model)]
    places = catalogue.find(model).line_keys
    for kind in unknown:
        if all_kinds().index(kind) + 2 <= places:
            assert any(f"knows no key “{kind.label}”" in remark for remark in rendering.remarks)


@pytest.mark.parametrize("template", [template.name for template in all_built_in()])
def test_a_template_has_every_setting_of_its_series_and_no_other(template):
    found = find_built_in(template)
    series = series_of(found.models[0])
    known = {setting.name for setting in all_settings() if setting.known_to(series, found.software)}
    of_others = {setting.name for setting in all_settings()} - known
    # The limits of a line come with its key.
    by_key = {"max_calls", "busy_trigger"} & known
    names = names_of(found.text)
    assert known - names == by_key
    assert not names & of_others
    # What people copy has no marks of ours.
    assert "{#" not in found.text


# Of each template the model with the most modules.
CROWDED = [
    (template.name, max(template.models, key=lambda model: len(modules_of(model))))
    for template in all_built_in()
    if template.software == "SIP"
]


@pytest.mark.parametrize(("template", "model"), CROWDED)
def test_hostile_values_stay_inside_the_limits(template, model):
    hostile = "<&\"'\x00\x1b]]>{{ 7123 * 1000 }}Ünïcode" * 10
    line = replace(LINE, display_name=hostile, label=hostile, max_calls=10**6, busy_trigger=10**6)
    keys = [
        KeyOf(module, position, kind, 1, "http://h/" if kind == "service" else "4711", hostile, {"index": hostile})
        for module in range(5)
        for position, kind in enumerate(["speed-dial", "blf", "service", hostile[:9], "park-lamp"] * 20)
    ]
    assert len(keys) == 500
    lines = [replace(line, extension=str(number), name=f"peer-{number}") for number in range(60)]
    rendering = made(
        template, model, {**NEEDED, "phone_label": hostile}, lines=lines, keys=keys, modules=modules_of(model) * 3
    )
    document = parse(rendering.content)
    for path, limits in elements.TABLES["lengths"].items():
        for element in document.find_all(path):
            assert len(value_of(element)) <= limits.get(element.tag, 10**9), element.tag
    for path, (prefix, limit) in elements.TABLES["counts"].items():
        for parent in document.find_all(path):
            assert sum(child.tag.startswith(prefix) for child in parent) <= limit
    device = catalogue.find(model)
    modules = document.find_all("addOnModules/addOnModule")
    places = device.line_keys + sum(integer(value_of(module.find("deviceLine"))) for module in modules)
    assert max(buttons(document)) <= places
    calls = {value_of(each) for each in document.find_all("sipProfile/sipLines/line/maxNumCalls")}
    assert calls == {str(device.max_calls or 200)}
    assert b"7123000" not in rendering.content
    assert len(rendering.remarks) > 100


@pytest.mark.parametrize("field", ["name", "auth_name", "auth_password"])
def test_what_a_phone_registers_with_is_never_cut(field):
    with pytest.raises(RenderRefused, match="longer than the 30") as refused:
        made("sip-88xx", "8841", NEEDED, lines=[replace(LINE, **{field: "x" * 200})])
    assert refused.value.code == "wrong-line"
    # An SCCP file has no lines.
    assert made("sccp-79xx", "7962", NEEDED, lines=[replace(LINE, **{field: "x" * 200})]).content


@pytest.mark.parametrize("values", [{}, {"call_managers": ""}])
def test_without_a_call_manager_there_is_no_file(values):
    with pytest.raises(RenderRefused) as refused:
        made("sip-88xx", "8841", values)
    assert (refused.value.code, refused.value.asked) == ("missing-value", ("account 1",))
    assert "call_managers" in refused.value.message


def test_all_lines_carry_the_credentials_of_line_1():
    second = LineOf("202", auth_name="other", auth_password="Other-Pass")
    content = made("sip-79xx", "7962", NEEDED, lines=[LINE, second]).content
    document = parse(content)
    for tag, text in (("authName", "201"), ("authPassword", "Line-Pass-1"), ("proxy", "USECALLMANAGER")):
        assert [value_of(each) for each in document.find_all(f"sipProfile/sipLines/line/{tag}")] == [text, text]
    assert [value_of(each) for each in document.find_all("sipProfile/sipLines/line/name")] == ["201", "202"]
    assert b"Other-Pass" not in content
    assert [key.get("lineIndex") for key in document.find_all("sipProfile/sipLines/line")] == ["1", "2"]


def test_the_version_stamp_changes_with_the_file_and_only_then():
    first, again, other = (
        made("sip-88xx", "8841", {**NEEDED, "phone_label": text}) for text in ("Lobby", "Lobby", "Bar")
    )
    assert first.content == again.content
    stamps = [parse(each.content).value("versionStamp") for each in (first, other)]
    assert stamps[0] != stamps[1]
    assert all(stamps)


def test_the_label_of_a_79xx_has_no_spaces():
    labels = [
        parse(made(template, model, {**NEEDED, "phone_label": "Front desk"}).content).value("sipProfile/phoneLabel")
        for template, model in (("sip-79xx", "7962"), ("sip-88xx", "8841"))
    ]
    assert labels == ["Frontdesk", "Front desk"]


def test_expansion_modules_stand_in_the_file_with_their_keys():
    keys = [
        KeyOf(1, 1, "blf", target="4711", label="Bar", options={"pickup": "on"}),
        KeyOf(2, 24, "speed-dial", target="0"),
    ]
    rendering = made("sip-79xx", "7965", {**NEEDED, "module_load": "B016-1-0-4SR1"}, keys=keys, modules=("7916",) * 2)
    document = parse(rendering.content)
    assert rendering.remarks == ()
    # Six keys of the phone, then two times 24.
    assert buttons(document) == {1: "9", 7: "21", 54: "2"}
    types = [
        (module.get("idx"), value_of(module.find("deviceLine")))
        for module in document.find_all("addOnModules/addOnModule")
    ]
    assert types == [("1", "24"), ("2", "24")]
    assert findings(rendering.content, "7965", "SIP") == []


def test_an_intercom_is_a_line_that_is_answered_at_once():
    intercom = LineOf("9201", name="ic-201")
    keys = [KeyOf(0, 1, "line", 1), KeyOf(0, 2, "intercom", 2, label="Intercom")]
    document = parse(made("sip-88xx", "8841", NEEDED, lines=[LINE, intercom], keys=keys).content)
    answers = [value_of(each) for each in document.find_all("sipProfile/sipLines/line/autoAnswer/autoAnswerEnabled")]
    assert (buttons(document), answers) == ({1: "9", 2: "23"}, ["0", "3"])


def test_a_template_is_found_for_a_model_however_it_is_written():
    assert built_in_for("CP-8845-K9=", "SIPE").name == "sip-88xx"
    assert built_in_for("cisco 7962G", "SCCP").name == "sccp-79xx"
    assert built_in_for("7975", "SIP").name == "sip-7975"
    # What reads no SEP file, or is not known, has none.
    assert [built_in_for(model, "SIP") for model in ("8841-3PCC", "SPA504", "7940", "7921", "9999", "")] == [None] * 6
    assert find_kind("line").feature == "9"
