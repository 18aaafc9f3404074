"""What the screen of a simulated phone looks like to those who ask for a picture of it (Cisco phones spec §1.1)."""

import io
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from phones_app.simulator.state import PhoneState

_GROUND, _HEAD, _INK, _PAPER = (16, 32, 48), (0, 96, 144), (255, 255, 255), (208, 224, 232)
_TYPES = {"PNG": "image/png", "BMP": "image/bmp", "CIP": "text/xml"}


def screenshot(phone: PhoneState) -> tuple[bytes, str]:
    """The picture in the format of this generation, and its content type."""
    picture, kind = _draw(phone), phone.generation.screen_format
    if kind == "CIP":
        return _packed(phone, picture), _TYPES[kind]
    out = io.BytesIO()
    picture.save(out, kind)
    return out.getvalue(), _TYPES[kind]


def _draw(phone: PhoneState) -> Image.Image:
    width, height = phone.generation.screen_size
    row = max(14, height // 12)
    picture = Image.new("RGB", (width, height), _GROUND)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(row * 0.7)
    draw.rectangle((0, 0, width, row), fill=_HEAD)
    draw.text((6, 1), phone.line_users[0] if phone.line_users else "Registering …", _INK, font)
    for number, line in enumerate(phone.shown, start=1):
        draw.text((6, 1 + number * row * 1.2), line, _PAPER, font)
    return picture


def _packed(phone: PhoneState, picture: Image.Image) -> bytes:
    """A CiscoIPPhoneImage: four points a byte, the first of them in the lowest bits."""
    levels = bytes(3 - value // 64 for value in picture.convert("L").tobytes())
    levels += bytes(-len(levels) % 4)
    packed = bytes(
        levels[place] | levels[place + 1] << 2 | levels[place + 2] << 4 | levels[place + 3] << 6
        for place in range(0, len(levels), 4)
    )
    width, height = picture.size
    text = (
        f"<CiscoIPPhoneImage><Title>{escape(phone.config.mac)}</Title><LocationX>0</LocationX><LocationY>0</LocationY>"
        f"<Width>{width}</Width><Height>{height}</Height><Depth>2</Depth><Data>{packed.hex().upper()}</Data>"
        "</CiscoIPPhoneImage>"
    )
    return text.encode("ascii")
