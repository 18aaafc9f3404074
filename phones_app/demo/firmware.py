"""A load in the form of Cisco's (boot server spec §2), which simulated phones take. Nothing in it is Cisco's."""

from collections.abc import Iterator

_FILLER = bytes(range(256))


def classic_set(load: str, components: str) -> dict[str, bytes]:
    """The files of a load of a 7942 or 7962 by their names: the list, what it names, and the list for after a reset."""
    software = "sccp" if load.startswith("SCCP") else "sip"
    parts = (f"jar42{software}", "cnu42", "apps42", "dsp42", f"cvm42{software}")
    names = [f"{part}.{components}.sbn" for part in parts]
    listed = "\r\n".join(["# Made by the demo", *names, ""]).encode()
    files = {name: signed(name, b"CNU_File_Archive_3.0" + _FILLER * 16) for name in names}
    return files | {
        name: signed(name, listed) for name in (f"{load}.loads", "term42.default.loads", "term62.default.loads")
    }


def signed(name: str, payload: bytes) -> bytes:
    """A file with the header that files of firmware begin with; its signature is filling."""
    rest = b"".join(_tlvs((3, b"demo"), (12, bytes(256)), (14, name.encode() + b"\0")))
    begin = b"".join(_tlvs((1, b"\1\1")))
    length = len(begin) + 5 + len(rest)
    return begin + b"".join(_tlvs((2, length.to_bytes(2, "big")))) + rest + payload


def _tlvs(*pairs: tuple[int, bytes]) -> Iterator[bytes]:
    for tag, value in pairs:
        yield bytes([tag]) + len(value).to_bytes(2, "big") + value
