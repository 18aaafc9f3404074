"""How the portal looks as the operator's own: name, logo and colour out of settings (portal spec §5).

The colour is any that the operator likes; what is shown in it has to be read. Each use of it therefore takes the nearest
shade that has the contrast which WCAG 2.1 asks for (success criterion 1.4.3), 4.5 to 1.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

Shade = tuple[int, int, int]
WHITE: Shade = (255, 255, 255)
BLACK: Shade = (0, 0, 0)
# The lightest surface of the light mode's text and the darkest but one of the dark mode, as portal.css has them.
LIGHT_GROUND: Shade = (0xF3, 0xF5, 0xF8)
DARK_GROUND: Shade = (0x1E, 0x26, 0x31)
ENOUGH = 4.5
HTTP = re.compile("https?://[^/]")
COLOUR = re.compile("#[0-9a-fA-F]{6}")
PICTURES = {f".{name}": f"image/{name}" for name in ("png", "jpeg", "webp")}
PICTURES |= {".jpg": "image/jpeg", ".svg": "image/svg+xml"}
# A logo is the operator's own file; should it hold a script all the same, it is not run.
NO_SCRIPTS = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@dataclass(frozen=True)
class Operator:
    name: str
    logo: str
    look: str


def operator() -> Operator:
    """What every page of the portal shows of the operator; addresses change with what they lead to."""
    look_url = f"{reverse('portal:look')}?{_mark(settings.PORTAL_COLOUR)}"
    return Operator(settings.PORTAL_NAME, reverse("portal:logo") if settings.PORTAL_LOGO else "", look_url)


def _mark(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:8]


def luminance(shade: Shade) -> float:
    """Relative luminance (WCAG 2.1, definition of terms)."""
    parts = [part / 255 for part in shade]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: Shade, other: Shade) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _toward(shade: Shade, end: Shade, share: float) -> Shade:
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(shade, end, strict=True))
    return red, green, blue


def readable(shade: Shade, ground: Shade) -> Shade:
    """The nearest shade, lighter or darker, that can be read on this ground."""
    end = BLACK if luminance(ground) > 0.18 else WHITE
    shades = (_toward(shade, end, step / 20) for step in range(21))
    return next((each for each in shades if contrast(each, ground) >= ENOUGH), end)


def _hex(shade: Shade) -> str:
    return "#" + "".join(f"{part:02x}" for part in shade)


@lru_cache(maxsize=4)
def stylesheet(colour: str) -> str:
    """The colour's uses as variables: the bar above with its text, and links and buttons in either mode."""
    given = colour if COLOUR.fullmatch(colour) else "#1d5fa8"
    red, green, blue = bytes.fromhex(given[1:])
    own: Shade = (red, green, blue)
    bar_text = max((WHITE, BLACK), key=lambda text: contrast(text, own))
    light, dark = readable(own, LIGHT_GROUND), readable(own, DARK_GROUND)
    return (
        f":root{{--bar:{_hex(own)};--on-bar:{_hex(bar_text)};--accent:{_hex(light)};--on-accent:#fff}}"
        f"@media(prefers-color-scheme:dark){{:root{{--accent:{_hex(dark)};--on-accent:#000}}}}"
    )


@require_safe
@cache_control(public=True, max_age=86_400)
def look(request: HttpRequest) -> HttpResponse:
    return HttpResponse(stylesheet(settings.PORTAL_COLOUR), content_type="text/css; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=3600)
def logo(request: HttpRequest) -> HttpResponse:
    file = Path(settings.PORTAL_LOGO)
    kind = PICTURES.get(file.suffix.lower())
    try:
        content = file.read_bytes() if kind and settings.PORTAL_LOGO else None
    except OSError:
        content = None
    if content is None:
        raise Http404
    response = HttpResponse(content, content_type=kind)
    response["Content-Security-Policy"] = NO_SCRIPTS
    return response


def operator_is_shown(**_: object) -> list[CheckMessage]:
    """What is wrong with the operator's settings."""
    found: list[CheckMessage] = []
    if not COLOUR.fullmatch(settings.PORTAL_COLOUR):
        found.append(Error("PORTAL_COLOUR is no colour such as #1d5fa8.", id="profiles.E003"))
    file = Path(settings.PORTAL_LOGO)
    if settings.PORTAL_LOGO and not (file.suffix.lower() in PICTURES and file.is_file()):
        found.append(Error(f"PORTAL_LOGO: {file} is no file with one of: {', '.join(PICTURES)}.", id="profiles.E004"))
    return found


def links_are_readable(**_: object) -> list[CheckMessage]:
    given = settings.PORTAL_LINKS
    rows = given.values() if isinstance(given, dict) else [None]
    if all(isinstance(row, dict) and row.keys() == {"label", "url"} and HTTP.match(str(row["url"])) for row in rows):
        return []
    hint = '{"View Bills": {"label": "Bills", "url": "https://billing.example.org/"}}'
    return [Error("PORTAL_LINKS is no table of flags with a label and a URL each.", hint=hint, id="profiles.E005")]
