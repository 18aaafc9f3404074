"""The phone's read-only web pages (Cisco phones spec §5): what a client can learn about it, as XML."""

import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from xml.sax.saxutils import escape

from phones_app.simulator.state import Fault, PhoneState

Children = Iterable[tuple[str, str]]
Page = Callable[[PhoneState], bytes]

_STREAMS = range(1, 4)
# The files of the console log, the newest without a number, each of so many lines.
_LOG_FILES, _LINES = ("messages", "messages.0", "messages.1"), 100
# Of a call that began a while ago, over a network that loses a little.
_CALL_QUALITY = (
    *(("SenderPackets", "1500"), ("SenderCodec", "G.722"), ("RcvrPackets", "1493"), ("RcvrCodec", "G.722")),
    *(("RcvrLostPackets", "7"), ("AvgJitter", "4"), ("MaxJitter", "21"), ("Latency", "15"), ("MOSLQK", "4.1")),
)


def _page(phone: PhoneState, root: str, children: Children, declarations: int = 1) -> bytes:
    encoding = phone.generation.encoding
    lines = [
        *[f'<?xml version="1.0" encoding="{encoding}"?>'] * declarations,
        f"<{root}>",
        *(f"<{name}>{escape(text)}</{name}>" for name, text in children),
        f"</{root}>",
    ]
    return "\r\n".join([*lines, ""]).encode(encoding, "xmlcharrefreplace")


def _shown_mac(phone: PhoneState) -> str:
    """Return the MAC as this generation writes it, or that of another phone if one took the address."""
    mac = phone.config.mac
    if phone.fault is Fault.WRONG_MAC:
        mac = f"{mac[:10]}{int(mac[10:], 16) ^ 0xFF:02X}"
    pairs = (mac[place : place + 2] for place in range(0, 12, 2))
    return phone.generation.mac_separator.join(pairs)


def _device_information(phone: PhoneState) -> bytes:
    mac = _shown_mac(phone)
    children = [
        ("MACAddress", mac),
        ("HostName", "SEP" + mac.replace(":", "")),
        ("phoneDN", phone.line_users[0] if phone.line_users else ""),
        ("appLoadID", phone.load),
        ("bootLoadID", "boot." + phone.load.partition(".")[2]),
        ("versionID", phone.load),
        ("addonModule1", ""),
        ("addonModule2", ""),
        ("hardwareRevision", "V01"),
        ("serialNumber", "FCH" + phone.config.mac[-8:]),
        ("modelNumber", "CP-" + phone.config.model),
        ("MessageWaiting", phone.generation.no_word),
        ("upTime", str(timedelta(seconds=int(time.monotonic() - phone.up_since)))),
        ("udi", f"phone Cisco IP Phone {phone.config.model} CP-{phone.config.model}"),
    ]
    return _page(phone, "DeviceInformation", children)


def _network_configuration(phone: PhoneState) -> bytes:
    device_file = phone.device_file
    managers = device_file.call_managers if device_file else ()
    children = [
        ("DHCPServer", ""),
        ("MACAddress", _shown_mac(phone)),
        ("HostName", "SEP" + _shown_mac(phone).replace(":", "")),
        ("DomainName", ""),
        ("IPAddress", phone.config.host),
        ("TFTPServer1", phone.config.config_url),
        *((f"CallManager{place}", name) for place, name in enumerate(managers, start=1)),
        ("DHCPEnabled", "Yes"),
        ("AuthenticationURL", device_file.authentication_url if device_file else ""),
    ]
    return _page(phone, "NetworkConfiguration", children)


def _streaming_statistics(stream: int) -> Page:
    def page(phone: PhoneState) -> bytes:
        active = stream == 1 and phone.fault is Fault.IN_CALL
        children = [
            ("RemoteAddr", "127.0.0.1/16384" if active else "0.0.0.0/0"),
            ("LocalAddr", f"{phone.config.host}/16384" if active else "0.0.0.0/0"),
            ("StartTime", "10:00:00" if active else "00:00:00"),
            ("StreamStatus", "Active" if active else "Not Ready"),
            *(_CALL_QUALITY if active else ()),
        ]
        return _page(phone, "StreamingStatistics", children)

    return page


def _device_log(phone: PhoneState) -> bytes:
    lines = [("status", line) for line in phone.history]
    return _page(phone, "DeviceLog", lines, phone.generation.log_declarations)


def _console_logs(phone: PhoneState) -> bytes:
    """The page with links to the files of the console log, the newest without a number."""
    links = "".join(f'<LI><A HREF="/FS/{name}">{name}</A></LI>' for name in _LOG_FILES)
    return f"<HTML><BODY><H3>SEP{phone.config.mac}</H3><UL>{links}</UL></BODY></HTML>".encode("ascii")


def _log_file(number: int) -> Page:
    """What the phone has done, the newest file first; what is older than all of it has been thrown away."""

    def page(phone: PhoneState) -> bytes:
        history = list(phone.history)
        end = len(history) - number * _LINES
        lines = history[max(0, end - _LINES) : max(0, end)]
        return "".join(f"NOT SEP{phone.config.mac}: {line}\n" for line in lines).encode()

    return page


def _nested(phone: PhoneState, root: str, rows: Iterable[tuple[str, Children]], begin: Children = ()) -> bytes:
    """A page whose elements have elements of their own."""
    inner = [f"<{name}>{escape(text)}</{name}>" for name, text in begin]
    for row, children in rows:
        inner += [f"<{row}>", *(f"<{name}>{escape(text)}</{name}>" for name, text in children), f"</{row}>"]
    text = "\r\n".join([f"<{root}>", "<Prompt/>", "<Notify/>", "<Status/>", *inner, f"</{root}>", ""])
    return text.encode(phone.generation.encoding, "xmlcharrefreplace")


def _line_info(phone: PhoneState) -> bytes:
    in_call = phone.fault is Fault.IN_CALL
    rows = [
        (
            "CiscoIPPhoneLines",
            [
                *(("LineType", "9"), ("lineDirNum", user), ("MessageWaiting", phone.generation.no_word.upper())),
                *(("RingerName", "Chirp1"), ("LineLabel", "")),
                ("LineIconState", "CONNECTED" if in_call and not number else "ONHOOK"),
            ],
        )
        for number, user in enumerate(phone.line_users)
    ]
    return _nested(phone, "CiscoIPPhoneLineInfo", rows)


def _call_info(phone: PhoneState) -> bytes:
    line = phone.line_users[0] if phone.line_users else ""
    call = [
        *(
            ("CallState", "CONNECTED"),
            ("CallType", "INBOUND"),
            ("CallingPartyName", ""),
            ("CallingPartyDirNum", "9700"),
        ),
        *(("CalledPartyName", ""), ("CalledPartyDirNum", line), ("CallDuration", "83")),
        ("CallSecurity", "UNAUTHENTICATED"),
    ]
    rows = [("CiscoIPPhoneCallInfo", call)] if phone.fault is Fault.IN_CALL else []
    return _nested(phone, "CiscoIPPhoneCallLineInfo", rows, [("LineDirNum", line)])


# By path and query, as a client asks for them; both are case-sensitive.
PAGES: dict[str, Page] = {
    "/DeviceInformationX": _device_information,
    "/NetworkConfigurationX": _network_configuration,
    **{f"/StreamingStatisticsX?{stream}": _streaming_statistics(stream) for stream in _STREAMS},
    "/DeviceLogX?0": _device_log,
    **{f"/FS/{name}": _log_file(number) for number, name in enumerate(_LOG_FILES)},
    "/CGI/Java/Serviceability?adapter=device.statistics.consolelog": _console_logs,
}
# Only of newer firmware, and only for those who may push.
GUARDED_PAGES: dict[str, Page] = {"/CGI/LineInfo": _line_info, "/CGI/CallInfo": _call_info}
