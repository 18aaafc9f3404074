"""The guide for authors of templates says what there is, and its example works."""

import re
from dataclasses import fields
from pathlib import Path

from profiles_app.phone.rendering.compiled import GIVEN
from profiles_app.phone.rendering.filters import FILTERS, FUNCTIONS
from profiles_app.phone.rendering.fragments import ACTIONS
from profiles_app.phone.rendering.keys import arrange
from profiles_app.phone.rendering.render import render
from profiles_app.phone.rendering.values import DeviceOf, LayerOf, LineOf
from profiles_app.phone.sep import check

GUIDE = (Path(__file__).parents[4] / "docs/templates.md").read_text(encoding="utf-8")
DEVICE = DeviceOf("00005E005301", "8851", name="Reception desk", modules=("BEKEM",))
LINES = [LineOf("301", auth_password="s3cret")]


def words(beginning: str) -> set[str]:
    """What is in code in the row or point that begins so."""
    text = re.split(r"\n(?=[*|\n])", GUIDE[GUIDE.index(beginning) + len(beginning) :])[0]
    return set(re.findall(r"`([a-z_]+)`", text))


def test_it_names_all_there_is():
    arranged = arrange(DEVICE, LINES, [])
    assert words("* Filters:") == set(FILTERS)
    assert words("Functions:") == set(FUNCTIONS)
    for name, row in (
        ("device", DEVICE),
        ("lines", arranged.lines[0]),
        ("keys", arranged.keys[0]),
        ("modules", arranged.modules[0]),
    ):
        assert words(f"| `{name}` |") == {field.name for field in fields(row)}, name
    assert all(f"| `{name}` |" in GUIDE for name in (*GIVEN, *ACTIONS))


def test_its_example_makes_a_file():
    text = GUIDE.partition("```jinja\n")[2].partition("```")[0]
    layers = [LayerOf("account", "account", values={"call_managers": "pbx.example.com"})]
    rendering = render(text, device=DEVICE, layers=layers, lines=LINES)
    assert rendering.remarks == ("phone_label or device.name was cut from 14 to 12 characters",)
    assert [finding.code for finding in check(rendering.content, model="8851") if finding.severity == "error"] == []
