"""What a template cannot do, whoever wrote it (configuration spec §1.2)."""

import resource
from time import thread_time

import pytest

from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import render
from profiles_app.phone.rendering.values import LayerOf, LineOf
from tests.profiles_app.phone.rendering.conftest import DEVICE, made

DOUBLED = "{% set n = namespace(x='ab') %}{% for i in range(60) %}{% set n.x = n.x ~ n.x %}{% endfor %}"
NESTED = "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}{% endfor %}"
LONG = "{% set long = 'a' * 500000 %}"

# What is tried, and the code with which it is refused.
ATTEMPTS = {
    # To get at Python.
    "{{ ''.__class__.__mro__ }}": "not-offered",
    "{{ ''['__class__'] }}": "not-offered",
    "{{ device.__init__.__globals__ }}": "not-offered",
    "{{ device['__dict__'] }}": "not-offered",
    "{{ lines.__class__ }}": "not-offered",
    "{{ lines.append(1) }}": "not-offered",
    "{{ ().__class__.__base__.__subclasses__() }}": "not-offered",
    "{{ self.__init__ }}": "not-offered",
    "{{ self._TemplateReference__context }}": "not-offered",
    "{{ range.__init__ }}": "not-offered",
    "{{ namespace.__init__ }}": "not-offered",
    "{{ missing.__class__ }}": "not-offered",
    "{% for i in [1] %}{{ loop.__class__ }}{% endfor %}": "not-offered",
    "{% for i in [1] %}{{ loop._iterable }}{% endfor %}": "not-offered",
    "{% macro m() %}{% endmacro %}{{ m.__call__ }}": "not-offered",
    "{% macro m() %}{% endmacro %}{{ m._func }}": "not-offered",
    "{% macro m() %}{{ caller.__globals__ }}{% endmacro %}{% call m() %}{% endcall %}": "wrong-value",
    "{{ [device]|map(attribute='__class__')|list }}": "not-offered",
    "{{ [device]|map(attribute='mac.__class__')|join }}": "not-offered",
    "{{ [device]|selectattr('__class__')|list }}": "not-offered",
    "{{ [device]|sort(attribute='__class__')|first }}": "not-offered",
    "{{ ['x']|join(attribute='__class__') }}": "not-offered",
    "{{ device|attr('__class__') }}": "template-syntax",
    "{{ ['x']|map('attr', '__class__')|list }}": "not-offered",
    "{{ ['x']|map('spent!')|list }}": "not-offered",
    "{{ 'x'()  }}": "not-offered",
    "{{ device() }}": "not-offered",
    "{{ cycler }}": "missing-value",
    "{{ lipsum(5) }}": "missing-value",
    "{{ dict }}": "missing-value",
    "{{ [1]|random }}": "template-syntax",
    "{{ device|pprint }}": "template-syntax",
    "{{ device|tojson }}": "template-syntax",
    "{{ 1 is sameas(1) }}": "template-syntax",
    "{{ ['x']|select('sameas', 1)|list }}": "wrong-value",
    # Formats read attributes, and their widths make texts of any size.
    "{{ '{0.__class__}'.format(device) }}": "not-offered",
    "{{ '{a.mac}'.format_map({'a': device}) }}": "not-offered",
    "{{ ''['format']('x') }}": "not-offered",
    "{{ '%1000000000d' % 1 }}": "wrong-value",
    "{{ '%1000000000d'|format(1) }}": "template-syntax",
    "{{ (3.5).find if true else 1 }}": "wrong-value",
    "{{ device|upper(1, 2) }}": "wrong-value",
    "{{ '%1000000000d' is odd }}": "wrong-value",
    "{{ '%1000000000d' is divisibleby(3) }}": "wrong-value",
    # To read what is no template of the portal.
    "{% include '/etc/passwd' %}": "template-syntax",
    "{% include '../../settings.py' %}": "template-syntax",
    "{% include device.name %}": "template-syntax",
    "{% include ['a', 'b'] %}": "template-syntax",
    "{% import '/etc/passwd' as m %}": "template-syntax",
    "{% from 'x' import y %}": "template-syntax",
    "{% extends 'x' %}": "template-syntax",
    "{% autoescape false %}{% endautoescape %}": "template-syntax",
    "{% do 1 %}": "template-syntax",
    "{% debug %}": "template-syntax",
    # To use up time and memory.
    "{{ 'a' * 10**9 }}": "too-large",
    "{{ 'a' * 1000000000 }}": "too-large",
    "{{ [0] * 1000000000 }}": "wrong-value",
    "{{ 10 ** 10 ** 10 }}": "too-large",
    "{{ 9 ** 9 ** 9 }}": "too-large",
    "{{ 0x" + "f" * 4000 + " * 2 }}": "template-syntax",
    "{{ (2 ** 63) * (2 ** 63) * (2 ** 63) }}": "too-large",
    "{{ range(10 ** 9) }}": "too-large",
    "{% for i in range(1001) %}{% endfor %}": "too-large",
    "{{ 'a'|center(1000000000) }}": "template-syntax",
    "{{ 'a'|indent(1000000000) }}": "template-syntax",
    "{{ 'a b'|wordwrap(1, true, 'x' * 100000) }}": "template-syntax",
    "{{ [1]|batch(1000000000, 1)|list }}": "template-syntax",
    "{{ 1|round(1000000000, 'ceil') }}": "wrong-value",
    "{{ 'a'.ljust(1000000000) }}": "not-offered",
    "{{ 'a'.zfill(1000000000) }}": "not-offered",
    "{{ ('\t' * 1000).expandtabs(1000000) }}": "not-offered",
    "{{ ('a' * 500000)|replace('', 'b' * 500000) }}": "too-large",
    "{{ (('a,' * 9000)|split)|join('b' * 500000) }}": "too-large",
    "{{ ('a' * 500000)|list }}": "wrong-value",
    "{{ ('a ' * 200000).split() }}": "too-large",
    LONG + "{{ long.find('a' * 200000 ~ 'b') }}": "too-large",
    LONG + "{{ long.strip('b' * 2000) }}": "too-large",
    DOUBLED + "{{ n.x }}": "too-large",
    DOUBLED.replace("~", "+") + "{{ n.x }}": "too-large",
    DOUBLED.replace("n.x ~ n.x", "[n.x, n.x]|join") + "{{ n.x }}": "too-large",
    NESTED + "{{ n.x }}": "wrong-value",
    NESTED + "{{ n.x ~ '' }}": "wrong-value",
    NESTED + "{{ n.x == [n.x] }}": "wrong-value",
    NESTED + "{{ [1]|select('eq', n.x)|list }}": "wrong-value",
    NESTED + "{{ n.x in [1] }}": "wrong-value",
    NESTED + "{{ [n.x, n.x]|sort }}": "wrong-value",
    NESTED + "{{ {(n.x,): 1} }}": "wrong-value",
    NESTED + "{{ device[(n.x,)] }}": "wrong-value",
    NESTED + "{{ n.x|string }}": "wrong-value",
    "{% set n = namespace(x=[1]) %}{% for i in range(60) %}{% set n.x = n.x + n.x %}{% endfor %}": "too-large",
    "{% for a in range(1000) %}" * 3 + "{% endfor %}" * 3: "too-much-work",
    "{% for a in range(1000) %}{% for b in range(1000) if a == 'x' and a == 'y' %}{% endfor %}{% endfor %}": (
        "too-much-work"
    ),
    "{% for a in range(1000) %}" + "x" * 1000 + "{% endfor %}": "too-large",
    "{% set x %}{% for a in range(1000) %}{% for a in range(1000) %}"
    + "x" * 1000
    + "{% endfor %}{% endfor %}{% endset %}": ("too-much-work"),
    LONG + "{% for a in range(1000) %}{% if 'b' in long %}{% endif %}{% endfor %}": "too-much-work",
    LONG + "{% for a in range(1000) %}{% set x = long[1:] %}{% endfor %}": "too-much-work",
    LONG + "{% for a in range(1000) %}{% set x = long|upper %}{% endfor %}": "too-much-work",
    LONG + "{% for a in range(1000) %}{% set x = long|title %}{% endfor %}": "too-much-work",
    NESTED + "{{ [n.x, n.x]|map(attribute='0.' * 300)|list }}": "too-large",
    NESTED + "{{ [n.x, n.x]|sort(attribute='0.' * 300) }}": "too-large",
    NESTED + "{{ [n.x, n.x]|selectattr('0.' * 300)|list }}": "too-large",
    "{% set x %}{% for i in range(100) %}{{ '\"' * 500000 }}{% endfor %}{% endset %}": "too-much-work",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}": "too-much-work",
    "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(35) }}": "too-much-work",
    "{% block b %}{{ self.b() }}{% endblock %}": "too-much-work",
    "{% for x in [[1]] recursive %}{{ loop(x) }}{% endfor %}": "template-syntax",
    "{{ " + "(" * 3000 + "1" + ")" * 3000 + " }}": "template-syntax",
    "{{ " + "1+" * 3000 + "1 }}": "template-syntax",
    "{{ " + "-" * 3000 + "1 }}": "template-syntax",
    "{% if 1 %}" * 200 + "{% endif %}" * 200: "template-syntax",
    "{% for a in [1] %}" * 30 + "{% endfor %}" * 30: "template-syntax",
    "{{ 1 }}" * 8_000: "template-syntax",
    "{{ " + "1" * 400_000 + " }}": "template-syntax",
    "\r" + "{{" * 200_000: "template-syntax",
    "{# " + "{{" * 200_000 + " #}{{ '<'|safe }}": "not-well-formed",
}


@pytest.mark.parametrize("attempt", ATTEMPTS, ids=lambda text: text[:60])
def test_it_is_refused(attempt):
    begun, most = thread_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RenderRefused) as refusal:
        made(attempt)
    assert refusal.value.code == ATTEMPTS[attempt], refusal.value
    assert thread_time() - begun < 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most < 200 * 1024


def test_the_clock_stops_what_was_counted_too_low(monkeypatch):
    monkeypatch.setattr("profiles_app.phone.rendering.meter.SECONDS", 0.1)
    with pytest.raises(RenderRefused) as refusal:
        made("{% for a in range(1000) %}{% for b in range(500) %}{{ b }}{% endfor %}{% endfor %}")
    assert refusal.value.code in ("too-slow", "too-large")


SECRETS = {
    "<phoneLabel>{{ lines[0].auth_password }}</phoneLabel>": "secret-shown",
    "<line password='{{ lines[0].auth_password }}'/>": "secret-shown",
    "<phoneLabel>{{ pin }}</phoneLabel>": "secret-shown",
    "<phoneLabel>{{ ssh_password }}</phoneLabel>": "secret-shown",
    "<phoneLabel>{{ call_managers[0] }}</phoneLabel>": "secret-shown",
    "<!-- {{ lines[0].auth_password }} -->": "secret-shown",
    "<authPassword/>{{ lines[0].auth_password }}": "secret-shown",
    "<authPassword>{{ lines[0].auth_password[1:] }}</authPassword>": "secret-changed",
    "<authPassword>{{ lines[0].auth_password|reverse }}</authPassword>": None,
    "<authPassword>{{ lines[0].auth_password }}</authPassword>": None,
    "<authPassword>{{ lines[0].auth_password|upper }}</authPassword>": None,
    "<!-- <authPassword>{{ lines[0].auth_password }}</authPassword> -->": None,
    "<x>{{ 'starts' if lines[0].auth_password.startswith('s') else 'unknown' }}</x>": None,
    "<x>{{ 'same' if lines[0].auth_password == pin else 'unknown' }}</x>": None,
    "<x>{{ lines[0].auth_password|length > 5 }}</x>": None,
    "<sshPassword>{{ ssh_password }}</sshPassword><phonePassword>{{ pin }}</phonePassword>": None,
}


@pytest.mark.parametrize(("text", "code"), SECRETS.items())
def test_a_template_can_place_a_secret_and_not_read_it(text, code):
    values = {"pin": "4711<", "ssh_password": "ssh-4711", "call_managers": "pbx-4711", "stamp": "4711"}
    layer = LayerOf("phone", "phone", values=values, secret=frozenset({"pin", "call_managers", "stamp"}))
    lines = [LineOf("301", auth_password="s3cret&"), LineOf("302", auth_password="s3cret&")]
    if code:
        with pytest.raises(RenderRefused) as refusal:
            made(text, layer, lines=lines)
        assert refusal.value.code == code
        assert "4711" not in str(refusal.value)
        assert "s3cret" not in str(refusal.value)
        return
    content = made(text, layer, lines=lines).content.decode()
    assert "starts" not in content
    assert "same" not in content
    assert "true" not in content
    if "<x>" not in text:
        assert "s3cret&amp;" in content or "ssh-4711</sshPassword><phonePassword>4711&lt;<" in content


def test_only_the_portals_own_templates_are_included():
    own = {"frame": "<device>{% block inside %}{% endblock %}</device>", "part": "<phoneLabel>{{ name }}</phoneLabel>"}
    text = "{% extends 'frame' %}{% block inside %}{% include 'part' %}{% endblock %}"
    layer = LayerOf("phone", "phone", values={"name": "x"})
    rendering = render(text, device=DEVICE, layers=[layer], templates=own)
    assert rendering.content == b"<device><phoneLabel>x</phoneLabel></device>"
    assert rendering.used == {"name"}
    with pytest.raises(RenderRefused) as refusal:
        render(text, device=DEVICE, layers=[], templates=own)
    assert (refusal.value.code, refusal.value.line) == ("missing-value", 1)
