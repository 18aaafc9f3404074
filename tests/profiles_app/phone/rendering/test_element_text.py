"""Values in the text of elements, as authors of files write them (configuration spec §1.2)."""

from profiles_app.phone.rendering.render import render
from profiles_app.phone.rendering.values import DeviceOf, LayerOf

DEVICE = DeviceOf("00005E005301", "8845")


def rendered(text: str, **values: str) -> str:
    layer = LayerOf("phone", "the phone", values=values, secret=frozenset({"password"}))
    return render(f"<device>{text}</device>", device=DEVICE, layers=[layer]).content.decode()


def test_the_filter_text_leaves_quotation_marks_as_they_are():
    assert rendered("<a>{{ name|text }}</a>", name='O\'Brien "R&D" <1>') == (
        '<device><a>O\'Brien "R&amp;D" &lt;1&gt;</a></device>'
    )


def test_a_password_is_written_as_text():
    assert rendered("<authPassword>{{ password }}</authPassword>", password="it's <&>") == (
        "<device><authPassword>it's &lt;&amp;&gt;</authPassword></device>"
    )
