"""A phone's file around the part that a test is about."""

import pytest

from profiles_app.phone.rendering.render import Rendering, render
from profiles_app.phone.rendering.values import DeviceOf, LayerOf

DEVICE = DeviceOf("00005E005301", "8845", name="Reception")


def made(text: str, *layers: LayerOf, device: DeviceOf = DEVICE, **given) -> Rendering:
    return render(f"<device>{text}</device>", device=device, layers=layers, **given)


@pytest.fixture
def written():
    """What a template writes inside of the root element, with the values of a phone."""

    def write(text: str, **values: str) -> str:
        content = made(text, LayerOf("phone", "phone SEP00005E005301", values=values)).content.decode()
        return content.removeprefix("<device>").removesuffix("</device>")

    return write
