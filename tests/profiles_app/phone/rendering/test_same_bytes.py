"""The same inputs give the same bytes, today and after an upgrade (configuration spec §1.2).

`files` has what phones get of little more than a call manager and a line. A change of the catalogue or of a built-in
template that shows here changes the files of phones that are in use, which then count as out of date: say so in the
changelog, and write the files anew by `python -m tests.profiles_app.phone.rendering.test_same_bytes`.
"""

from pathlib import Path

import pytest

from profiles_app.phone.rendering.built_in import built_in_for
from profiles_app.phone.rendering.render import render
from profiles_app.phone.rendering.values import DeviceOf, KeyOf, LayerOf, LineOf

FILES = Path(__file__).with_name("files")
PHONES = [("8851", "SIP"), ("7965", "SIP"), ("7962", "SCCP")]
LAYERS = [
    LayerOf(
        "account", "account 1", values={"call_managers": "pbx1.example.org, 10.1.2.3", "time_zone": "Europe/Berlin"}
    ),
    LayerOf("location", "location Munich", values={"ntp_servers": "10.1.2.4", "dnd_alert": "flash"}),
]
LINES = [
    LineOf("201", auth_name="201", auth_password="Secret-1", display_name="Ann Ü. & Co", label="Ann", voicemail="*97"),
    LineOf("202", display_name="Bo", max_calls=2),
]
KEYS = [
    KeyOf(0, 1, "line", 1),
    KeyOf(0, 2, "line", 2),
    KeyOf(0, 3, "blf", target="203", label="Cy", options={"pickup": "on"}),
    KeyOf(0, 4, "service", target="http://pbx1.example.org/menu?a=1&b=2", label="Menu"),
    KeyOf(0, 5, "do-not-disturb"),
    KeyOf(1, 1, "speed-dial", target="0,1234", label="Town"),
]


def made(model: str, software: str) -> bytes:
    found = built_in_for(model, software)
    assert found is not None
    modules = ("BEKEM",) if model == "8851" else ("7916",)
    device = DeviceOf("00005E005301", model, software, modules=modules)
    return render(found.text, device=device, layers=LAYERS, lines=LINES, keys=KEYS).content


@pytest.mark.parametrize(("model", "software"), PHONES)
def test_the_file_is_what_it_was(model, software):
    assert made(model, software).decode() == (FILES / f"{software}-{model}.xml").read_text(encoding="utf-8")


if __name__ == "__main__":
    FILES.mkdir(exist_ok=True)
    for each in PHONES:
        (FILES / f"{each[1]}-{each[0]}.xml").write_bytes(made(*each))
