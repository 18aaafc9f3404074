"""Who and what the demo's customer has, as tables. Names and numbers are made up: 555-01xx is kept free for
fiction, the MAC addresses are those for documentation (RFC 7042 §2.1.2)."""

from dataclasses import dataclass

from phones_app.services.demo_profiles import DemoLine


@dataclass(frozen=True)
class DemoPerson:
    """A user of the account; `key` is the name in the email address."""

    key: str
    first_name: str
    last_name: str
    phone: str
    pin: str
    location: str
    level: int = 1


@dataclass(frozen=True)
class DemoProfile:
    """A phone profile; `owner` is the key of a person."""

    name: str
    owner: str
    models: tuple[str, ...]
    software_type: str
    lines: tuple[DemoLine, ...]
    description: str


@dataclass(frozen=True)
class DemoPhone:
    """A phone that already runs the profile named."""

    mac: str
    model: str
    software_type: str
    name: str
    location: str
    vlan: str
    profile: str


PEOPLE = (
    DemoPerson("dana", "Dana", "Dockside", "+1 202 555 0100", "4100", "Office", level=0),
    DemoPerson("felix", "Felix", "Fairway", "+1 202 555 0101", "4101", "Front desk"),
    DemoPerson("ida", "Ida", "Inlet", "+1 202 555 0102", "4102", "Concierge"),
    DemoPerson("nora", "Nora", "Northpier", "+1 202 555 0103", "4103", "Restaurant"),
    DemoPerson("tom", "Tom", "Tidewater", "+1 202 555 0104", "4104", "Technical services"),
)

_MODERN = ("8841", "8845", "8851", "8861", "8865")

PROFILES = (
    DemoProfile(
        "Front desk day",
        "felix",
        ("8841", "8851"),
        "SIP",
        (DemoLine("101", "Front desk"), DemoLine("100", "Reception")),
        "Reception from 7 to 23 h, with the main number.",
    ),
    DemoProfile(
        "Front desk night",
        "felix",
        ("8841", "8851"),
        "SIP",
        (DemoLine("101", "Front desk"), DemoLine("119", "Night bell")),
        "23 to 7 h: the night bell instead of the main number.",
    ),
    DemoProfile(
        "Concierge",
        "ida",
        _MODERN,
        "SIP",
        (DemoLine("120", "Concierge"),),
        "The concierge, on any of the newer phones.",
    ),
    DemoProfile(
        "Manager",
        "dana",
        ("8845", "8865"),
        "SIP",
        (DemoLine("110", "D. Dockside"), DemoLine("111", "Assistant")),
        "The manager's phone with camera.",
    ),
    DemoProfile(
        "Conference room",
        "dana",
        ("8865",),
        "SIPE",
        (DemoLine("150", "Harbour room"),),
        "The meeting room on the first floor.",
    ),
    DemoProfile(
        "Restaurant",
        "nora",
        ("7942", "7962"),
        "SIP",
        (DemoLine("130", "Restaurant"),),
        "Reservations.",
    ),
    DemoProfile(
        "Room service",
        "nora",
        ("7821", "7841"),
        "SIP",
        (DemoLine("131", "Room service"),),
        "The pantry on each floor.",
    ),
    DemoProfile(
        "Housekeeping",
        "tom",
        ("7962", "7975"),
        "SCCP",
        (),
        "SCCP: its lines are at the call manager.",
    ),
    DemoProfile(
        "Workshop",
        "tom",
        ("7962", "7975"),
        "SCCP",
        (),
        "SCCP: its lines are at the call manager.",
    ),
)

PHONES = (
    DemoPhone("00005E005301", "8851", "SIP", "Front desk 1", "Lobby", "20", "Front desk day"),
    DemoPhone("00005E005302", "8841", "SIP", "Concierge", "Lobby", "20", "Concierge"),
    DemoPhone("00005E005303", "8845", "SIP", "Manager", "Office, first floor", "20", "Manager"),
    DemoPhone(
        "00005E005304", "8865", "SIPE", "Harbour room", "Meeting room, first floor", "20", "Conference room"
    ),
    DemoPhone("00005E005305", "7942", "SIP", "Restaurant", "Restaurant", "21", "Restaurant"),
    DemoPhone("00005E005306", "7821", "SIP", "Pantry 2", "Second floor", "21", "Room service"),
    DemoPhone("00005E005307", "7962", "SCCP", "Housekeeping", "Basement", "21", "Housekeeping"),
    DemoPhone("00005E005308", "7975", "SCCP", "Workshop", "Basement", "21", "Workshop"),
)
