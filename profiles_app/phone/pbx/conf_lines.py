"""The lines of Asterisk's files: endpoints of pjsip.conf, peers of sip.conf, where phones register (Asterisk spec §J).

Trunks, gateways and what has no extension are left out and told.
"""

from profiles_app.phone.pbx.conf import Conf, ConfSection
from profiles_app.phone.pbx.found import FoundLine, FoundLines, Remark, caller_id, first_mailbox, is_extension, number

_HASHED = "The password is stored as a hash (md5_cred), which phones cannot use; give it in the line."
_NO_PEERS = ("general", "authentication")
_TYPES = ("peer", "friend")


def pjsip_lines(conf: Conf) -> FoundLines:
    """One line for each endpoint of a phone; trunks are left out and told."""
    found = FoundLines(remarks=list(conf.remarks), errors=list(conf.errors))
    parts: dict[tuple[str, str], ConfSection] = {}
    for section in conf.sections:
        kind = section.get("type").lower()
        if section.is_template:
            continue
        if not kind:
            found.errors.append(Remark(section.line, section.name, "This section has no type."))
        elif (kind, section.name) in parts:
            text = f"There is a second section of the type {kind} of this name."
            found.errors.append(Remark(section.line, section.name, text))
        else:
            parts[kind, section.name] = section
    for (kind, _), section in parts.items():
        if kind == "endpoint":
            _endpoint(section, parts, found)
    return found


def _endpoint(section: ConfSection, parts: dict[tuple[str, str], ConfSection], found: FoundLines) -> None:
    def told(message: str) -> None:
        found.remarks.append(Remark(section.line, section.name, message))

    aors = [parts[key] for name in _names(section.get("aors")) if (key := ("aor", name)) in parts]
    if section.get("outbound_auth") or any(aor.get("contact") for aor in aors):
        return told("Left out: a trunk, at which no phone registers.")
    shown, called = caller_id(section.get("callerid"))
    extension = section.name if is_extension(section.name) else called
    if not is_extension(extension):
        return told("Left out: neither its name nor its caller ID is an extension.")
    auth = next((parts[key] for name in _names(section.get("auth")) if (key := ("auth", name)) in parts), None)
    if section.get("auth") and auth is None:
        told(f"auth={section.get('auth')} is not in this file, so there is no password.")
    if auth is not None and auth.get("md5_cred") and not auth.get("password"):
        told(_HASHED)
    mailboxes = section.get("mailboxes") or next((text for aor in aors if (text := aor.get("mailboxes"))), "")
    values = {option.name: option.value for option in section.options}
    found.lines.append(
        FoundLine(
            line=section.line,
            section=section.name,
            extension=extension,
            name=section.name,
            auth_name=auth.get("username") if auth else "",
            auth_password=auth.get("password") if auth else "",
            display_name=shown,
            mailbox=first_mailbox(mailboxes),
            busy_trigger=number(values, ("device_state_busy_at",)),
        )
    )
    return None


def _names(text: str) -> list[str]:
    return [name for part in text.split(",") if (name := part.strip())]


def sip_lines(conf: Conf) -> FoundLines:
    """One line for each peer with `host=dynamic`; trunks and gateways are left out and told."""
    found = FoundLines(remarks=list(conf.remarks), errors=list(conf.errors))
    met: dict[str, ConfSection] = {}
    for section in conf.sections:
        if section.is_template or section.name.lower() in _NO_PEERS:
            continue
        if section.name in met:
            text = f"There is a peer of this name in line {met[section.name].line}."
            found.errors.append(Remark(section.line, section.name, text))
            continue
        met[section.name] = section
        _peer(section, found)
    _check_registered(met, found)
    return found


def _peer(section: ConfSection, found: FoundLines) -> None:
    def told(message: str) -> None:
        found.remarks.append(Remark(section.line, section.name, message))

    kind = section.get("type").lower()
    if not kind:
        found.errors.append(Remark(section.line, section.name, "This section has no type."))
        return None
    if kind not in _TYPES or section.get("host").lower() != "dynamic":
        return told("Left out: no peer at which a phone registers (type=friend or peer, host=dynamic).")
    shown, called = caller_id(section.get("callerid"))
    shown, called = section.get("fullname", "cid_name") or shown, section.get("cid_number") or called
    extension = section.name if is_extension(section.name) else called
    if not is_extension(extension):
        return told("Left out: neither its name nor its caller ID is an extension.")
    if section.get("md5secret") and not section.get("secret"):
        told("The password is stored as a hash (md5secret), which phones cannot use; give it in the line.")
    values = {option.name: option.value for option in section.options}
    found.lines.append(
        FoundLine(
            line=section.line,
            section=section.name,
            extension=extension,
            name=section.name,
            # chan_sip knows a registering phone by the name of its peer.
            auth_name=section.name,
            auth_password=section.get("secret"),
            display_name=shown,
            mailbox=first_mailbox(section.get("mailbox")),
            max_calls=number(values, ("maxcalls", "call-limit", "incominglimit")),
            busy_trigger=number(values, ("busylevel",)),
        )
    )
    return None


def _check_registered(met: dict[str, ConfSection], found: FoundLines) -> None:
    """`register=` in a peer names the peers of the phone's further lines, which have to be there."""
    for section in met.values():
        for option in section.options:
            if option.name == "register" and option.value.split(",")[0].strip() not in met:
                text = f"register={option.value} names a peer that is not in this file."
                found.remarks.append(Remark(option.line, section.name, text))
