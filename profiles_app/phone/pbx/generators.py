"""The text that a PBX needs for phones, ready to paste: PJSIP, or chan_sip with the usecallmanager patch in its old and
its new spelling (Asterisk spec §I, §J; options.toml).
"""

from collections.abc import Iterator, Sequence

from contacts_app.core.tables import table
from profiles_app.phone.pbx.needs import PbxLine, PbxPhone
from profiles_app.phone.pbx.stanza import UnsafeValue, caller_id_of, checked_name, comment, section

_TABLE = table(__file__, "options.toml")
DIALECTS: dict[str, str] = {name: row["title"] for name, row in _TABLE["dialects"].items()}
CONTEXT = "from-internal"
# An auth without a password is refused by PJSIP. chan_sip would let anybody in; a hash that no password has lets nobody.
_NOBODY = "*"
_HIDDEN = "Passwords are hidden: showing them needs the permission to see secrets."


def pbx_text(phones: Sequence[PbxPhone], dialect: str, *, context: str = CONTEXT) -> str:
    """The sections for these phones; a line on several phones is written once.

    A phone with a value that Asterisk cannot hold is left out, and its comment says why. Raises UnsafeValue for a
    context that is none.
    """
    checked_name(context)
    write = _pjsip if dialect == "pjsip" else _chan_sip
    done: set[str] = set()
    hints: dict[str, None] = {}
    pieces = [comment(f"{DIALECTS[dialect]}: {_TABLE['dialects'][dialect]['file']}")]
    for phone in phones:
        pieces.append("\n" + comment(_title(phone)))
        try:
            names = [*(line.extension or line.name for line in phone.lines), *phone.watched]
            watched = dict.fromkeys(map(_hinted, names))
            pieces += write(phone, dialect, context, done)
        except UnsafeValue as why:
            pieces.append(comment(f"LEFT OUT: {why}"))
        else:
            hints |= watched
            done.update(line.name for line in phone.lines)
    if hints:
        pieces += ["\n", comment("extensions.conf: hints, without which keys stay dark")]
        pieces += _hints(phones, hints, dialect, context)
    return "".join(pieces)


def _hinted(extension: str) -> str:
    """An extension for a hint; what begins with _ would be a pattern, which is every number."""
    if extension.startswith("_"):
        raise UnsafeValue(f"{extension[:80]!r} cannot be an extension.")
    return checked_name(extension)


def _title(phone: PbxPhone) -> str:
    number = len(phone.lines)
    named = f" ({phone.title})" if phone.title else ""
    return f"SEP{phone.mac}{named}: {number} line{'' if number == 1 else 's'}"


def _hidden(phone: PbxPhone) -> str:
    return comment(_HIDDEN) if phone.hidden and phone.lines else ""


def _pjsip(phone: PbxPhone, dialect: str, context: str, done: set[str]) -> list[str]:
    pieces = [_hidden(phone)]
    for line in phone.lines:
        if line.name in done:
            pieces.append(comment(f"[{line.name}] is above; an aor for several phones needs a higher max_contacts"))
            continue
        values = _values(line, context, phone)
        pieces += [section(line.name, _written(values, part)) for part in _TABLE["pjsip"].values()]
    return pieces


def _chan_sip(phone: PbxPhone, dialect: str, context: str, done: set[str]) -> list[str]:
    pieces = [_hidden(phone)]
    spelling = _TABLE["dialects"][dialect]
    further = [line.name for line in phone.lines[1:]]
    for index, line in enumerate(phone.lines):
        if line.name in done:
            pieces.append(comment(f"[{line.name}] is above: chan_sip registers one phone at a peer"))
            continue
        values = _values(line, context, phone)
        options = list(_written(values, spelling["peer"]))
        if index == 0:
            # In the order of lineIndex, by which the phone knows them.
            options += [("register", checked_name(name)) for name in further]
            options += [("subscribe", checked_name(target)) for target in phone.watched]
        pieces.append(section(line.name, options))
    return pieces


def _values(line: PbxLine, context: str, phone: PbxPhone) -> dict[str, str]:
    most = line.max_calls
    # A busy level above the limit of calls is never reached.
    busy = min(line.busy_trigger, most) if line.busy_trigger and most else line.busy_trigger
    return {
        "name": line.name,
        "context": context,
        "transport": phone.transport,
        "caller_id": caller_id_of(line.display_name, checked_name(line.extension or line.name)),
        "auth_name": line.auth_name or line.name,
        "password": line.auth_password,
        "locked": "" if line.auth_password else _NOBODY,
        "mailbox": _mailbox(line.mailbox),
        "max_calls": str(most or ""),
        "busy_trigger": str(busy or ""),
    }


def _mailbox(mailbox: str) -> str:
    return f"{mailbox}@default" if mailbox and "@" not in mailbox else mailbox


def _written(values: dict[str, str], rows: Sequence[Sequence[str]]) -> Iterator[tuple[str, str]]:
    """Each row is an option and its text, in which {names} stand for values; without that value it is left out."""
    for option, text in rows:
        if text.startswith("{"):
            text = values[text[1:-1]]
        yield option, text


def _hints(phones: Sequence[PbxPhone], hints: dict[str, None], dialect: str, context: str) -> Iterator[str]:
    """One for each line and each extension that a key watches; chan_sip's name the peer twice (Asterisk spec §J)."""
    peers = {line.extension or line.name: line.name for phone in phones for line in phone.lines}
    yield f"[{context}]\n"
    for extension in hints:
        device = _TABLE["dialects"][dialect]["hint"].format(peer=peers.get(extension, extension))
        yield f"exten => {extension},hint,{device}\n"
