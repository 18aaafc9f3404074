"""Backgrounds: one picture made into the PNG of each size and depth that phones show, with its previews.

The sizes are in background.toml (boot server spec §11.4). A picture is measured before it is unpacked: a small file may
be a huge picture.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO

from PIL import Image, ImageOps

from contacts_app.core.tables import table
from profiles_app.phone.companions.lists import ListEntry

LARGEST_UPLOAD = 20_000_000
MOST_PIXELS = 40_000_000
FORMATS = ("PNG", "JPEG", "GIF", "BMP", "WEBP")
ROOT = "Desktops"
LIST = "List.xml"
PREVIEW = "TN-"
# Twice what the largest screen shows: nothing is worked on that is larger, and JPEG not even unpacked.
_ENOUGH = (1_600, 960)
_FILE = re.compile(rf"{ROOT}/([0-9x]+)/(?:{PREVIEW})?([A-Za-z0-9_-]+)\.png", re.ASCII)


class Unpaintable(ValueError):
    """The upload cannot be made into a background. The message says why, for people."""


@dataclass(frozen=True)
class ScreenSize:
    folder: str
    phones: str
    colours: tuple[int, ...]
    preview: tuple[int, int] | None = None

    @property
    def size(self) -> tuple[int, int]:
        width, height, _depth = self.folder.split("x")
        return int(width), int(height)

    def path(self, name: str) -> str:
        return f"{ROOT}/{self.folder}/{name}.png"

    def preview_path(self, name: str) -> str:
        return f"{ROOT}/{self.folder}/{PREVIEW}{name}.png"

    @property
    def list_path(self) -> str:
        return f"{ROOT}/{self.folder}/{LIST}"

    def entry(self, name: str) -> ListEntry:
        return ListEntry(name, f"TFTP:{self.path(name)}", f"TFTP:{self.preview_path(name)}")


@cache
def screen_sizes() -> tuple[ScreenSize, ...]:
    rows = table(__file__, "background.toml")["size"]
    return tuple(
        ScreenSize(
            row["folder"],
            row["phones"],
            tuple(row["colours"]),
            (row["preview"][0], row["preview"][1]) if "preview" in row else None,
        )
        for row in rows
    )


def name_of(path: str) -> str:
    """Which background a file is part of, "" when of none: the name that its files share."""
    return found[2] if (found := _FILE.fullmatch(path)) else ""


def read_picture(content: bytes) -> Image.Image:
    """The uploaded picture, upright and without transparency. Raises Unpaintable."""
    if len(content) > LARGEST_UPLOAD:
        raise Unpaintable(f"The file has {len(content):,} bytes; {LARGEST_UPLOAD:,} are taken.")
    try:
        with Image.open(BytesIO(content), formats=FORMATS) as picture:
            width, height = picture.size
            if width * height > MOST_PIXELS:
                text = f"The picture has {width:,} × {height:,} pixels"
                raise Unpaintable(f"{text}; {MOST_PIXELS:,} pixels are taken.")
            picture.draft("RGB", _ENOUGH)
            ImageOps.exif_transpose(picture, in_place=True)
            upright = _no_larger(picture)
            if upright.has_transparency_data:
                white = Image.new("RGBA", upright.size, "white")
                upright = Image.alpha_composite(white, upright.convert("RGBA"))
            return upright.convert("RGB")
    except Unpaintable:
        raise
    except Image.DecompressionBombError:
        raise Unpaintable(f"The picture has more than {MOST_PIXELS:,} pixels.") from None
    # Pillow's plug-ins raise what they like for damaged files.
    except Exception as refused:
        reason = (
            str(refused) if isinstance(refused, OSError) and "cannot identify" not in str(refused) else "no picture"
        )
        raise Unpaintable(f"This cannot be read as PNG, JPEG, GIF, BMP or WebP ({reason}).") from None


def _no_larger(picture: Image.Image) -> Image.Image:
    """The picture made smaller, as long as it covers what is enough."""
    width, height = picture.size
    factor = max(_ENOUGH[0] / width, _ENOUGH[1] / height)
    if factor >= 1:
        return picture
    plain = "RGBA" if picture.has_transparency_data else "RGB"
    smooth = picture if picture.mode == plain else picture.convert(plain)
    return smooth.resize((round(width * factor), round(height * factor)), reducing_gap=2.0)


def painted(picture: Image.Image, size: ScreenSize, *, whole: bool) -> bytes:
    """The PNG of this size. `whole`: all of the picture, with black beside it; else its middle fills the screen."""
    return _png(picture, size.size, size.colours, whole)


def preview_of(picture: Image.Image, size: ScreenSize, *, whole: bool) -> bytes | None:
    return _png(picture, size.preview, size.colours, whole) if size.preview else None


def picture_faults(path: str, content: bytes) -> Iterator[str]:
    """Why phones would not show this file in its folder: it is no PNG, or has another size than they want."""
    found = _FILE.fullmatch(path)
    size = next((each for each in screen_sizes() if found and each.folder == found[1]), None)
    try:
        with Image.open(BytesIO(content), formats=("PNG",)) as picture:
            there = picture.size
    # Pillow's plug-ins raise what they like for damaged files.
    except Exception:
        yield "It is no PNG that can be read."
        return
    wanted = (size.preview if path.rpartition("/")[2].startswith(PREVIEW) else size.size) if size else None
    if wanted and there != wanted:
        yield f"It has {there[0]} × {there[1]} pixels; phones show {wanted[0]} × {wanted[1]} from this folder."


def files_of(picture: Image.Image, name: str, *, whole: bool) -> Iterator[tuple[str, bytes]]:
    """Path and content of each file of a background, without the lists."""
    for size in screen_sizes():
        yield size.path(name), painted(picture, size, whole=whole)
        if (preview := preview_of(picture, size, whole=whole)) is not None:
            yield size.preview_path(name), preview


def _png(picture: Image.Image, size: tuple[int, int], colours: tuple[int, ...], whole: bool) -> bytes:
    fitted = ImageOps.pad(picture, size, color="black") if whole else ImageOps.fit(picture, size)
    if len(colours) == 1:
        fitted = fitted.convert("L")
    # As many tones as the screen has; the file keeps eight bits for each, which all phones read.
    fitted = fitted.point([_shade(value, bits) for bits in colours for value in range(256)])
    out = BytesIO()
    fitted.save(out, "PNG", optimize=True)
    return out.getvalue()


def _shade(value: int, bits: int) -> int:
    most = (1 << bits) - 1
    return round(round(value * most / 255) * 255 / most)
