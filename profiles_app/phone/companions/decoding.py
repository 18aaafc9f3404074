"""The process in which an uploaded sound file is decoded: it may crash, loop or ask for memory, and ends with that.

`python -m profiles_app.phone.companions.decoding SECONDS < upload` answers with one line of JSON, and behind it with the
samples of one channel as 32-bit floats. Nothing else of Patchbay is loaded.
"""

import json
import resource
import sys
from io import BytesIO

MOST_MEMORY = 1 << 30
MOST_CPU_SECONDS = 10
# What libsndfile is let to read; it knows many more formats, which nobody has rings in.
FORMATS = ("WAV", "WAVEX", "FLAC", "MP3", "OGG", "AIFF")
SLOWEST, FASTEST, MOST_CHANNELS = 4_000, 192_000, 8


def main(seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        told, samples = decoded(sys.stdin.buffer.read(), seconds)
    except ValueError as refused:
        told, samples = {"refused": str(refused)}, b""
    sys.stdout.buffer.write(json.dumps(told).encode() + b"\n" + samples)


def decoded(content: bytes, seconds: float) -> tuple[dict[str, object], bytes]:
    """The first seconds. Raises ValueError: what is wrong with the file, for people."""
    import soundfile

    try:
        with soundfile.SoundFile(BytesIO(content)) as file:
            if file.format not in FORMATS:
                raise ValueError(f"A {file.format} file is not taken, but WAV, MP3, FLAC, Ogg Vorbis and AIFF are.")
            if not (SLOWEST <= file.samplerate <= FASTEST and file.channels <= MOST_CHANNELS):
                text = f"{file.samplerate:,} Hz and {file.channels} channels"
                raise ValueError(f"{text}: {SLOWEST:,} to {FASTEST:,} Hz and {MOST_CHANNELS} channels are taken.")
            wanted = int(seconds * file.samplerate)
            samples = file.read(wanted + 1, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as refused:
        reason = str(refused.error_string).rstrip(".")
        raise ValueError(f"This is no sound file that can be read ({reason}).") from None
    told = {"rate": file.samplerate, "longer": len(samples) > wanted}
    return told, samples[:wanted].mean(axis=1).astype("<f4").tobytes()


if __name__ == "__main__":
    main(float(sys.argv[1]))
