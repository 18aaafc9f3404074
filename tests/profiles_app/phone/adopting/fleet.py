"""A fleet whose files several people and programs have made: six skeletons, each in the style of its author."""

from collections.abc import Iterator

from profiles_app.phone.adopting import SepFile

LOCATIONS = ("Munich", "Hamburg", "Leeds")
NAMES = ("Ida O'Brien", 'Björn "Bo" Ask', "R&D <lab>", "Zoë Müller", "Reception", "{{ name }}")


def fleet(number: int) -> list[SepFile]:
    """So many files, the styles in turn."""
    return [STYLES[n % len(STYLES)](n, n // len(STYLES)) for n in range(number)]


def mac_of(n: int) -> str:
    return f"00005E{0x540000 + n:06X}"


def escaped(text: str, quotes: str = "plain") -> str:
    text = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    if quotes == "named":
        text = text.replace("'", "&apos;").replace('"', "&quot;")
    return text.replace("'", "&#039;").replace('"', "&quot;") if quotes == "php" else text


def sip(n: int, *, label: str, name: str, location: str, extra: str = "", load: str) -> str:
    ntp = {"Munich": "192.0.2.1", "Hamburg": "192.0.2.2", "Leeds": "192.0.2.3"}[location]
    return f"""<device>
    <deviceProtocol>SIP</deviceProtocol>
    <sshUserId>admin</sshUserId>
    <sshPassword>shared-by-all</sshPassword>
    <devicePool>
        <dateTimeSetting>
            <dateTemplate>D.M.Y</dateTemplate>
            <timeZone>W. Europe Standard/Daylight Time</timeZone>
            <ntps><ntp><name>{ntp}</name><ntpMode>unicast</ntpMode></ntp></ntps>
        </dateTimeSetting>
        <callManagerGroup><members><member priority="0"><callManager>
            <ports><sipPort>5060</sipPort></ports>
            <processNodeName>pbx.example.org</processNodeName>
        </callManager></member></members></callManagerGroup>
    </devicePool>
    <sipProfile>
        <sipProxies><registerWithProxy>true</registerWithProxy></sipProxies>
        <phoneLabel>{label}</phoneLabel>
        <sipLines>
            <line button="1" lineIndex="1">
                <featureID>9</featureID>
                <featureLabel>{name}</featureLabel>
                <proxy>USECALLMANAGER</proxy>
                <name>{2000 + n}</name>
                <displayName>{name}</displayName>
                <contact>{2000 + n}</contact>
                <authName>{2000 + n}</authName>
                <authPassword>secret-{n}&amp;x</authPassword>
            </line>{extra}
        </sipLines>
    </sipProfile>
    <loadInformation>{load}</loadInformation>
    <servicesURL>http://portal.example.org/cisco?name=SEP{mac_of(n)}&amp;lang=en</servicesURL>
</device>
"""


def _values(n: int, row: int) -> dict[str, str]:
    return {"label": f"Desk {row}", "name": NAMES[row % len(NAMES)], "location": LOCATIONS[row % len(LOCATIONS)]}


def by_hand(n: int, row: int) -> SepFile:
    """Spaces, line feeds, quotation marks as they are typed."""
    values = _values(n, row)
    text = sip(n, **values | {"name": escaped(values["name"])}, load="sip88xx.14-2-1-0001-14")
    return file(n, text.encode(), "8845", values)


def on_windows(n: int, row: int) -> SepFile:
    """A byte order mark, CR LF, a declaration, named entities, a speed dial."""
    values = _values(n, row)
    dial = f"""
            <line button="2"><featureID>2</featureID><featureLabel>Help</featureLabel>
                <speedDialNumber>{100 + row % 7}</speedDialNumber></line>"""
    named = values | {"name": escaped(values["name"], "named")}
    text = '\ufeff<?xml version="1.0" encoding="UTF-8"?>\n' + sip(n, **named, extra=dial, load="sip88xx.14-2-1-0001-14")
    return file(n, text.replace("\n", "\r\n").encode(), "8851", values)


def by_a_web_page(n: int, row: int) -> SepFile:
    """ISO-8859-1, entities as PHP writes them, comments with braces and the MAC address, an empty element."""
    values = _values(n, row)
    braces = "{{ not ours }} {% nor this %} {# #}"
    head = f'<?xml version="1.0" encoding="iso-8859-1"?>\n<!-- {mac_of(n)}: {braces} -->\n'
    php = values | {"name": escaped(values["name"], "php")}
    text = head + sip(n, **php, load="SIP45.9-4-2SR3-1S").replace("<phoneLabel>", "<idleURL/><phoneLabel>")
    return file(n, text.encode("iso-8859-1"), "7945", values)


def by_a_script(n: int, row: int) -> SepFile:
    """Everything on one line, CDATA sections, references by number, attributes in single quotation marks."""
    values = _values(n, row)
    cdata = values | {"name": f"<![CDATA[{values['name']}]]>", "label": f"&#68;esk&#x20;{row}"}
    text = "".join(map(str.strip, sip(n, **cdata, load="sip78xx.12-8-1").splitlines()))
    return file(n, text.replace('button="1"', "button='1'").encode(), "7841", values)


def with_two_lines(n: int, row: int) -> SepFile:
    """A second line which all of these phones share, each under a label of its own; tabs; both kinds of line ends."""
    values = _values(n, row)
    shared = f"""
            <line button="2" lineIndex="2"><featureID>9</featureID><featureLabel>Team {row}</featureLabel>
                <name>1999</name><displayName>Team</displayName><contact>1999</contact></line>"""
    named = values | {"name": escaped(values["name"])}
    text = sip(n, **named, extra=shared, load="sip88xx.14-2-1-0001-14").replace("    ", "\t")
    return file(n, text.replace("</sipLines>\n", "</sipLines>\r\n").rstrip("\n").encode(), "8845", values)


def for_skinny(n: int, row: int) -> SepFile:
    """SCCP: no lines; the PBX's address differs by model."""
    values = _values(n, row)
    model = ("7975", "7965")[row % 2]
    text = f"""<device xsi:type="axl:XIPPhone" ctiid="{n}">
<devicePool><callManagerGroup><members><member priority='0'><callManager>
<ports><ethernetPhonePort>2000</ethernetPhonePort></ports><processNodeName>pbx-{model}.example.org</processNodeName></callManager></member></members></callManagerGroup></devicePool>
<loadInformation>SCCP{model[2:]}.9-4-2SR3-1S</loadInformation>
<userLocale><name>{escaped(values["name"])}</name></userLocale>
</device>"""
    return file(n, text.encode(), model, values, "SCCP")


def file(n: int, content: bytes, model: str, values: dict[str, str], software: str = "SIP") -> SepFile:
    return SepFile(f"SEP{mac_of(n)}.cnf.xml", mac_of(n), content, model, software, values["location"])


STYLES = (by_hand, on_windows, by_a_web_page, by_a_script, with_two_lines, for_skinny)


def folder_of(files: list[SepFile]) -> Iterator[tuple[str, bytes]]:
    return ((file.name, file.content) for file in files)
