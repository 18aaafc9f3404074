"""A template and layered values give the bytes of a file, or one clear refusal (configuration spec §1.2)."""

import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from profiles_app.phone.rendering.built_in import built_in_for
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import names_of, render
from profiles_app.phone.rendering.values import DeviceOf, Fragment, KeyOf, LayerOf, LineOf
from profiles_app.phone.sep import check
from tests.profiles_app.phone.rendering.conftest import DEVICE, made

FACTS = LayerOf(
    "account",
    "account Example",
    values={"call_managers": "pbx.example.com", "authentication_url": "http://pbx.example.com/authenticate"},
)


def refusal_of(text: str, *layers: LayerOf, **given) -> RenderRefused:
    with pytest.raises(RenderRefused) as refusal:
        made(text, *layers, **given)
    return refusal.value


def test_a_missing_value_names_the_line_and_the_layers_that_were_asked():
    layers = [LayerOf("phone", "phone X", values={"desk_": "1"}), LayerOf("account", "account Example")]
    refused = refusal_of("\n\n{{ desk }}", *layers)
    assert (refused.code, refused.line, refused.asked) == ("missing-value", 3, ("phone X", "account Example"))
    asked = "has no value in phone X, account Example: give it at one of these layers"
    assert str(refused) == f"line 3: “desk” (there is “desk_”) {asked}"
    refused = refusal_of("{{ call_managers }}", *layers)
    assert str(refused) == f"line 1: “call_managers” (Call managers) {asked}", "a setting is not misspelt"
    assert refusal_of("{{ desk }}").message == "“desk” has no value: give it at the layer of the account"
    assert refusal_of("{{ device.nmae }}").message == "the phone has no “nmae”"


@pytest.mark.parametrize(
    "text", ["{{ desk }}", "{{ desk ~ 'x' }}", "{% if desk == '1' %}{% endif %}", "{{ desk + 1 }}"]
)
def test_a_missing_value_is_missing_wherever_it_is_used(text):
    assert refusal_of(text).code == "missing-value"


def test_a_missing_value_can_be_asked_for(written):
    assert written("{% if desk is defined %}no{% else %}{{ desk|default('none') }}{% endif %}") == "none"


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ("\n{{ desk", 2, "unexpected '/'"),
        ("\n{% if desk %}\n", 3, "endif"),
        ("\n\n{{ desk|shout }}", 3, "there is no filter “shout” for templates; there are abs, "),
        ("{% for a in [1] %}\n{% endif %}", 2, "endif"),
    ],
)
def test_a_syntax_error_names_its_line(text, line, words):
    refused = refusal_of(text)
    assert (refused.code, refused.line) == ("template-syntax", line)
    assert words in refused.message


def test_values_are_escaped(written):
    assert written("<a b='{{ x }}'>{{ x }}</a>", x="<&\"'>") == (
        "<a b='&lt;&amp;&#34;&#39;&gt;'>&lt;&amp;&#34;&#39;&gt;</a>"
    )


def test_they_are_escaped_once(written):
    text = "{% macro m(t) %}<i>{{ t }}</i>{% endmacro %}{{ m(x) ~ x }}{{ [m(x), x]|join(x) }}{{ 'a' + x + m('b') }}"
    assert written(text, x="&") == "<i>&amp;</i>&amp;<i>&amp;</i>&amp;&amp;a&amp;<i>b</i>"


BROKEN = {
    "\n<a>{{ x|safe }}</a>\n": (2, "look at what x gives"),
    "\n<a>\n{% if x %}\n<b>\n</a>\n{% endif %}": (5, "mismatched tag"),
    "{% for i in range(3) %}\n<a>\n<b>{{ i }}</c></a>\n{% endfor %}": (3, "mismatched tag"),
    "\n\n\n<a b={{ x }}/>": (4, "not well-formed XML"),
    "{% macro m() %}<a>{{ x }}{% endmacro %}\n\n{{ m() }}": (3, "mismatched tag"),
    "\n<!DOCTYPE x>": (2, "not well-formed XML"),
}


@pytest.mark.parametrize(("text", "where"), BROKEN.items())
def test_broken_xml_names_the_line_of_the_template_and_no_value(text, where):
    refused = refusal_of(text, LayerOf("phone", "phone", values={"x": "<secret>"}))
    assert (refused.code, refused.line) == ("not-well-formed", where[0])
    assert where[1] in refused.message
    assert "secret" not in refused.message


def test_a_text_that_is_too_long_is_cut_with_a_remark():
    text = "<a>{{ label|limit(30) }}</a>"
    rendering = made(text, LayerOf("phone", "phone", values={"label": "x" * 200}))
    assert rendering.content == b"<device><a>" + b"x" * 30 + b"</a></device>"
    assert rendering.remarks == ("label was cut from 200 to 30 characters",)
    assert made(text, LayerOf("phone", "phone", values={"label": "ü" * 30})).remarks == ()
    for words, of in (("lines[0].label|upper", "lines[0].label"), ("label or 'x'", "a text"), ("'y' * 40", "a text")):
        given = {"lines": [LineOf("301", label="z" * 40)]}
        remarks = made(
            "{{ (" + words + ")|limit(3) }}", LayerOf("phone", "p", values={"label": "x" * 40}), **given
        ).remarks
        assert remarks == (f"{of} was cut from 40 to 3 characters",)


def test_characters_that_no_file_can_hold_are_left_out_with_a_remark():
    layer = LayerOf("phone", "phone", values={"label": "a\x00b\x1b\ud800c\ufffe\n"})
    rendering = made(
        "<a>{{ label }}{{ lines[0].label }}{{ device.name }}</a>", layer, lines=[LineOf("1", label="\x07d")]
    )
    assert rendering.content == b"<device><a>abc\ndReception</a></device>"
    assert rendering.remarks == (
        "label has characters that no file can hold; they were left out",
        "line 1: label has characters that no file can hold; they were left out",
    )


def test_what_is_written_is_what_phones_read(written):
    assert (
        written("{{ 1 == 1 }} {{ false }} {{ none }} {{ 3 // 2 }} {{ 'a, b'|split|join('/') }}") == "true false  1 a/b"
    )
    assert refusal_of("{{ [1] }}").message == "a list cannot be written into the file; use a loop, or the filter join"
    assert "split" in refusal_of("{% for a in 'a,b' %}{% endfor %}").message


def test_line_ends_and_all_other_bytes_are_those_of_the_template():
    begin, end = "\ufeff<?xml version='1.0'?>\r\n<device>\n\t<a  b = 'ü'/>\r\n", "</device>\r\n\n"
    text = begin + "{% if true %}\r\n  <c>{{ 'x' }}</c>\r\n{% endif %}\r\n" + end
    content = render(text, device=DEVICE, layers=[]).content
    assert content.decode() == begin + "  <c>x</c>\r\n" + end


def test_the_encoding_is_the_templates():
    text = "<?xml version='1.0' encoding='iso-8859-1'?>\n<device><a>{{ x }}</a></device>"
    assert b"<a>\xfc</a>" in render(text, device=DEVICE, layers=[LayerOf("phone", "p", values={"x": "ü"})]).content
    with pytest.raises(RenderRefused) as refusal:
        render(text, device=DEVICE, layers=[LayerOf("phone", "p", values={"x": "ł"})])
    assert (refusal.value.code, refusal.value.line) == ("unencodable", 2)


def test_only_what_the_template_reads_is_used():
    layer = LayerOf("phone", "phone", values={"a": "1", "b": "2", "c": "3"})
    rendering = made("{{ a }}{% if a == '2' %}{{ b }}{{ device.mac }}{% endif %}", layer)
    assert rendering.used == {"a", "b"}
    assert set(rendering.values) == {"a", "b", "c"}
    assert names_of("{{ a }}{% set d = 1 %}{{ d }}{% for k in keys %}{{ loop.index ~ ntp_servers }}{% endfor %}") == {
        "a",
        "ntp_servers",
    }


def test_settings_are_what_the_file_says():
    text = "{{ web_access }}{% for server in call_managers %} {{ server }}{% endfor %}"
    layers = [FACTS, LayerOf("phone", "phone", values={"web_access": "on", "call_managers": "a, b"})]
    assert made(text, *layers).content == b"<device>0 a b</device>"
    assert made("{{ kpml }}").content == b"<device>0</device>"
    assert refusal_of("{{ call_managers }}", LayerOf("phone", "phone X")).asked == ("phone X",)


@pytest.mark.parametrize(("model", "software"), [("8845", "SIP"), ("7962", "SIP"), ("7962", "SCCP")])
def test_hostile_rows_give_a_right_file(model, software):
    hostile = "<&\"'>]]>\x00\r\n-->" * 20
    template = built_in_for(model, software)
    device = DeviceOf("00005E005301", model, software, name=hostile, location=hostile, modules=(hostile, "BEKEM"))
    lines = [
        LineOf("301", "301", "s3cret&<", hostile, hostile, hostile, 10**6, 10**6, "peer"),
        LineOf("302", display_name=hostile, label=hostile),
    ]
    keys = [
        KeyOf(0, 1, "line", 1, label=hostile),
        KeyOf(0, 2, "speed-dial", target=hostile, label=hostile),
        KeyOf(0, 3, "blf", target="301", label=hostile, options={"pickup": hostile}),
        KeyOf(0, 4, "service", target="http://example.com/?a=1&b=2", label=hostile),
        KeyOf(0, 400, "no such kind", label=hostile),
    ]
    rendering = render(template.text, device=device, layers=[FACTS], lines=lines, keys=keys)
    assert [finding.message for finding in check(rendering.content, model=model, software_type=software)] == []
    assert rendering.remarks


def test_the_version_stamp_is_the_digest_of_the_rest():
    def stamp(password: str) -> str:
        text = "<authPassword>{{ lines[0].auth_password }}</authPassword><versionStamp>{{ stamp }}</versionStamp>"
        content = made(text, lines=[LineOf("301", auth_password=password)]).content.decode()
        return content.partition("<versionStamp>")[2].partition("<")[0]

    assert len(stamp("a")) == 16
    assert stamp("a") == stamp("a") != stamp("b")


PINNED = "e17f42134090fdefcab7d6115399ce3b74c6d57b27b2ed355cc2c55e3ce978dc"


def test_the_same_inputs_give_the_same_bytes_today_and_after_an_upgrade():
    text = """<?xml version='1.0'?>
<device>
{% macro pair(tag, text) %}
<{{ tag }}>{{ text }}</{{ tag }}>
{% endmacro %}
  {{ pair('a', x) }}
{% for line in lines|sort(attribute='extension', reverse=true) %}
  <line button='{{ loop.index }}'>{{ line.label|limit(5) }}<authPassword>{{ line.auth_password }}</authPassword></line>
{% endfor %}
  {{ (own|split(';')|unique|map('upper')|join('-')) ~ (7 / 2) }}<versionStamp>{{ stamp }}</versionStamp>
</device>
"""
    layers = [
        LayerOf("account", "a", values={"own": "b;a;b", "x": "weak"}),
        LayerOf("phone", "p", values={"x": "<ü>"}, fragments=(Fragment("a", "insert", "<b/>"),)),
    ]
    lines = [LineOf("301", auth_password="&", label="Reception"), LineOf("302", auth_password="ł")]
    found = {
        sha256(render(text, device=DEVICE, layers=order, lines=lines).content).hexdigest()
        for order in (layers, layers[::-1])
    }
    assert found == {PINNED}


def test_many_threads_render_at_once():
    def one(number: int) -> bytes:
        text = "{% for i in range(200) %}{{ x|limit(2) }}{% endfor %}" + f"<!-- {number % 3} -->"
        return made(text, LayerOf("phone", "phone", values={"x": f"{number:02}cut"})).content

    with ThreadPoolExecutor(8) as pool:
        for number, content in enumerate(pool.map(one, range(60))):
            assert content == f"<device>{f'{number:02}' * 200}<!-- {number % 3} --></device>".encode()


def test_memory_stays_flat():
    template = built_in_for("8845", "SIP")

    def some(start: int) -> int:
        for number in range(start, start + 40):
            lines = [LineOf(str(number), auth_password=str(number), label=f"Line {number}")]
            render(template.text, device=DeviceOf(f"{number:012X}", "8845"), layers=[FACTS], lines=lines)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = some(0)
        assert some(40) - first < 50_000
    finally:
        tracemalloc.stop()
