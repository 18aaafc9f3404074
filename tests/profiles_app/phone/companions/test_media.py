"""Ring tones and backgrounds: what phones play and show, made of uploads that may be hostile (boot server spec §11.3)."""

from io import BytesIO

import numpy
import pytest
import soundfile
from PIL import Image

from profiles_app.phone.companions import ring_tone as ring_tone_module
from profiles_app.phone.companions.background import Unpaintable, files_of, name_of, read_picture, screen_sizes
from profiles_app.phone.companions.ring_tone import (
    FORMS,
    NARROW,
    WIDE,
    Unplayable,
    length_fault,
    read_sound,
    ring_tone,
    to_wav,
    tone_faults,
)


def sound_file(seconds, *, rate=44_100, format="WAV", channels=2, hertz=440):
    times = numpy.arange(int(seconds * rate)) / rate
    samples = (0.5 * numpy.sin(2 * numpy.pi * hertz * times)).astype("float32")
    out = BytesIO()
    soundfile.write(out, numpy.stack([samples] * channels, axis=1), rate, format=format)
    return out.getvalue()


def loudest(content):
    samples, rate = soundfile.read(BytesIO(content))
    spectrum = numpy.abs(numpy.fft.rfft(samples))
    return spectrum.argmax() * rate / len(samples), numpy.abs(samples).max()


@pytest.mark.parametrize("format", ["WAV", "MP3", "FLAC"])
def test_a_sound_file_becomes_both_ring_tones_and_is_heard_in_the_browser(format):
    sound = read_sound(sound_file(1.5, format=format))
    for form, width in ((NARROW, 1), (WIDE, 2)):
        made = ring_tone(sound, form)
        assert length_fault(sound, form) == ""
        assert len(made) == 1.5 * form.rate * width
        assert tone_faults(f"a{form.suffix}", made) == ""
        hertz, peak = loudest(to_wav(f"a{form.suffix}", made))
        assert hertz == pytest.approx(440, abs=3)
        assert peak == pytest.approx(0.5, abs=0.03)


def test_what_is_too_long_says_so_and_can_be_cut():
    sound = read_sound(sound_file(30, rate=8_000, format="FLAC"))
    assert sound.longer
    assert "more than 10 seconds" in length_fault(sound, NARROW)
    assert [len(ring_tone(sound, form)) for form in FORMS] == [16_080, 2 * 160_800]
    assert ring_tone(sound, WIDE)[-2:] == b"\0\0"
    six = read_sound(sound_file(6, rate=8_000))
    assert (length_fault(six, NARROW)[:18], length_fault(six, WIDE)) == ("It has 6.0 seconds", "")
    assert "the least" in length_fault(read_sound(sound_file(0.02)), NARROW)


@pytest.mark.parametrize(
    "content",
    [b"", b"RIFF" + b"\xff" * 100, b"\xff\xfb\x90" + b"\0" * 5_000, b"fLaC" + b"\xff" * 1_000, b"x" * 20_000_001],
)
def test_what_is_no_sound_file_is_refused(content):
    with pytest.raises(Unplayable, match=r"\.$"):
        read_sound(content)


def test_a_decoder_that_crashes_takes_nothing_along(tmp_path, monkeypatch):
    (tmp_path / "soundfile.py").write_text("import os\nos.abort()\n")
    monkeypatch.setitem(ring_tone_module._ENVIRONMENT, "PYTHONPATH", str(tmp_path))
    with pytest.raises(Unplayable, match="breaks off the decoder"):
        read_sound(sound_file(1))


def test_files_that_phones_would_not_play_are_told():
    assert tone_faults("a.raw", b"x" * 239)
    assert tone_faults("a.rwb", b"x" * 481)
    assert tone_faults("a.wav", b"x" * 480)
    with pytest.raises(Unplayable):
        to_wav("a.raw", b"")


def picture(width=1_200, height=800, mode="RGB", format="PNG", **more):
    image = Image.linear_gradient("L").resize((width, height)).convert(mode)
    out = BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


@pytest.mark.parametrize(
    ("mode", "format"), [("RGB", "JPEG"), ("RGBA", "PNG"), ("P", "GIF"), ("LA", "PNG"), ("1", "BMP")]
)
def test_a_picture_becomes_every_size_and_its_previews(mode, format):
    files = dict(files_of(read_picture(picture(mode=mode, format=format)), "hill", whole=False))
    assert len(files) == sum(1 + bool(size.preview) for size in screen_sizes())
    for size in screen_sizes():
        with Image.open(BytesIO(files[size.path("hill")])) as made:
            assert (made.format, made.size) == ("PNG", size.size)
            assert made.mode == ("L" if len(size.colours) == 1 else "RGB")
        if size.preview:
            with Image.open(BytesIO(files[size.preview_path("hill")])) as made:
                assert made.size == size.preview
    assert {name_of(path) for path in files} == {"hill"}
    assert name_of("Desktops/320x196x4/List.xml") == ""


def test_screens_get_no_more_tones_than_they_have():
    files = dict(files_of(read_picture(picture()), "hill", whole=True))
    with Image.open(BytesIO(files["Desktops/320x196x4/hill.png"])) as grey:
        assert len(grey.getcolors(256) or ()) <= 16
    with Image.open(BytesIO(files["Desktops/320x212x12/hill.png"])) as coloured:
        assert len(coloured.getcolors(4_096) or ()) <= 16


def test_the_whole_picture_has_black_beside_it_and_a_turned_one_is_upright():
    tall = Image.new("RGB", (100, 400), "red")
    exif = Image.Exif()
    exif[0x0112] = 6
    out = BytesIO()
    tall.save(out, "JPEG", exif=exif)
    wide = read_picture(out.getvalue())
    assert wide.width > wide.height
    files = dict(files_of(wide, "red", whole=True))
    with Image.open(BytesIO(files["Desktops/800x480x24/red.png"])) as made:
        assert made.getpixel((400, 5)) == (0, 0, 0)
        assert made.getpixel((400, 240))[0] > 200


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n" + b"\0" * 100, b"GIF89a" + b"\xff" * 40, b"%PDF-1.4"])
def test_what_is_no_picture_is_refused(content):
    with pytest.raises(Unpaintable, match=r"\.$"):
        read_picture(content)


def test_a_huge_picture_in_a_small_file_is_refused_unopened():
    out = BytesIO()
    Image.new("1", (9_000, 9_000)).save(out, "PNG")
    bomb = out.getvalue()
    assert len(bomb) < 100_000
    with pytest.raises(Unpaintable, match="pixels are taken"):
        read_picture(bomb)


@pytest.mark.parametrize("mode", ["RGBA", "RGB", "P", "L", "I;16"])
def test_a_large_picture_is_worked_on_as_large_as_screens_can_show(mode):
    out = BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # lies on its side
    Image.new(mode, (2_000, 4_000)).save(out, "PNG", exif=exif)
    assert (read_picture(out.getvalue()).size, read_picture(out.getvalue()).mode) == ((1_920, 960), "RGB")
