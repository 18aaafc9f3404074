"""Ring tones: sound files made into what phones play, and back into WAV for browsers.

Phones play bare samples without a header, of one channel: `.raw` in µ-law at 8 kHz, `.rwb` as signed 16 bits at 16 kHz
(boot server spec §11.3). An upload is decoded in a process of its own (`decoding`), and only as much of it as the longest
ring tone is long: neither hours of sound nor a file made to break decoders cost more than that.
"""

import json
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from profiles_app.phone.companions import decoding

if TYPE_CHECKING:
    from numpy import float32
    from numpy.typing import NDArray

LARGEST_UPLOAD = 20_000_000
MOST_SECONDS_TO_DECODE = 20
# Phones take a whole number of these, which are 30 ms of the narrow form.
BLOCK = 240
FADE_SECONDS = 0.03
# Nothing of ours, and no memory for threads that it does not need.
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
_ROOT = Path(__file__).parents[3]


class Unplayable(ValueError):
    """The upload cannot be made into a ring tone. The message says why, for people."""


class ToneForm(NamedTuple):
    suffix: str
    rate: int
    most: int
    subtype: str
    phones: str

    @property
    def seconds(self) -> float:
        return self.most / self.rate


NARROW = ToneForm(".raw", 8_000, 16_080, "ULAW", "79xx, 69xx and 89xx")
WIDE = ToneForm(".rwb", 16_000, 160_800, "PCM_16", "78xx and 88xx")
FORMS = (NARROW, WIDE)


@dataclass(frozen=True)
class Sound:
    """The beginning of an upload, one channel; `longer`: it goes on after that."""

    samples: "NDArray[float32]"
    rate: int
    longer: bool

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate


def read_sound(content: bytes) -> Sound:
    """As much of an uploaded file as any ring tone can have. Raises Unplayable."""
    # Only who makes ring tones waits for this; it doubles the time in which a process starts.
    import numpy

    if len(content) > LARGEST_UPLOAD:
        raise Unplayable(f"The file has {len(content):,} bytes; {LARGEST_UPLOAD:,} are taken.")
    command = [sys.executable, "-m", decoding.__name__, str(WIDE.seconds)]
    try:
        done = subprocess.run(  # noqa: S603 - the command is our own
            command, input=content, capture_output=True, timeout=MOST_SECONDS_TO_DECODE, cwd=_ROOT, env=_ENVIRONMENT
        )
    except subprocess.TimeoutExpired:
        raise Unplayable("It takes too long to decode this file.") from None
    head, _, samples = done.stdout.partition(b"\n")
    if done.returncode or not head:
        raise Unplayable("This file breaks off the decoder: it is damaged, or was made to do so.")
    told: dict[str, Any] = json.loads(head)
    if refused := told.get("refused"):
        raise Unplayable(refused)
    return Sound(numpy.frombuffer(samples, "<f4"), told["rate"], told["longer"])


def length_fault(sound: Sound, form: ToneForm) -> str:
    """Why a sound is too short or too long for this form, "" when it is neither."""
    if int(sound.seconds * form.rate) < BLOCK:
        return f"It has {1000 * sound.seconds:.0f} ms of sound; {1000 * BLOCK / form.rate:.0f} ms is the least."
    if sound.longer or sound.seconds > form.seconds:
        length = f"more than {sound.seconds:.0f}" if sound.longer else f"{sound.seconds:.1f}"
        return f"It has {length} seconds; {form.phones} phones play {form.seconds:.2f} at most."
    return ""


def ring_tone(sound: Sound, form: ToneForm) -> bytes:
    """The samples as phones read them. What is too long is cut and faded out; silence fills up the last block."""
    import numpy
    import soundfile
    import soxr

    samples = soxr.resample(sound.samples[: int(form.seconds * sound.rate) + 1], sound.rate, form.rate)
    samples = numpy.nan_to_num(samples).clip(-1, 1)[: form.most]
    if length_fault(sound, form):
        fade = min(len(samples), int(FADE_SECONDS * form.rate))
        samples[-fade:] *= numpy.linspace(1, 0, fade, dtype=samples.dtype)
    samples = numpy.pad(samples, (0, -len(samples) % BLOCK))
    out = BytesIO()
    soundfile.write(out, samples, form.rate, subtype=form.subtype, endian="LITTLE", format="RAW")
    return out.getvalue()


def form_of(name: str) -> ToneForm | None:
    return next((form for form in FORMS if name.lower().endswith(form.suffix)), None)


def tone_faults(name: str, content: bytes) -> str:
    """Why phones would not play this file, "" when they would."""
    if (form := form_of(name)) is None:
        return "A ring tone ends in .raw or .rwb."
    width = 1 if form is NARROW else 2
    samples = len(content) // width
    if len(content) % width or not BLOCK <= samples <= form.most:
        return f"It has {samples:,} samples; phones play {BLOCK} to {form.most:,} of {form.suffix}."
    return ""


def to_wav(name: str, content: bytes) -> bytes:
    """A phone's ring tone as browsers play it. Raises Unplayable."""
    import soundfile

    if fault := tone_faults(name, content):
        raise Unplayable(fault)
    form = form_of(name) or NARROW
    samples, rate = soundfile.read(
        BytesIO(content),
        dtype="int16",
        samplerate=form.rate,
        channels=1,
        format="RAW",
        subtype=form.subtype,
        endian="LITTLE",
    )
    out = BytesIO()
    soundfile.write(out, samples, rate, subtype="PCM_16", format="WAV")
    return out.getvalue()
