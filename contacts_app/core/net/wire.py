"""What all transports over a socket share: which addresses may be spoken to, deadlines, socket errors, evidence.

Public addresses may be spoken to, and private ones only inside networks that ops have named. Otherwise a user who may
enter a host name could make this server talk to its own database or to a cloud's metadata address. A name is resolved
once, every answer is checked, and the caller connects to the address it is given, so that a second answer of the DNS
cannot lead elsewhere. Nothing about a protocol belongs here.
"""

import errno
import socket
import time
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from contacts_app.core.errors import NO_EXCHANGE, Exchange, TransportError

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# The only block from which public IPv6 addresses are assigned (IANA registry "IPv6 Global Unicast Address
# Space"). Whatever lies outside it, NAT64 and IPv4-mapped addresses included, is special.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
# Addresses that carry an IPv4 address and so could smuggle in a private one: Teredo (RFC 4380) and 6to4
# (RFC 3056).
_TUNNELLED = (IPv6Network("2001::/32"), IPv6Network("2002::/16"))

EVIDENCE_LIMIT = 8192

_UNREACHABLE = {errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EHOSTDOWN, errno.ENETDOWN}


@dataclass(frozen=True)
class Networks:
    """The networks that may be spoken to although they are not public."""

    networks: tuple[Network, ...] = ()
    # What names them: who is refused has to know where to add a network.
    setting: str = ""

    @classmethod
    def parse(cls, text: str, setting: str = "") -> "Networks":
        """Read comma-separated networks or single addresses; ValueError names the first bad one."""
        return cls(tuple(ip_network(item) for item in map(str.strip, text.split(",")) if item), setting)

    def allows(self, ip: str | Address) -> bool:
        """Say whether this address may be spoken to; what is no address may not."""
        try:
            address = ip_address(ip)
        except ValueError:
            return False
        mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
        named = _inside(address, self.networks) or (mapped is not None and _inside(mapped, self.networks))
        return named or _is_public(address)

    def names(self, network: Network) -> bool:
        """Say whether ops have named all of this network; that it is public is not enough here."""
        return any(
            network.version == named.version and network.subnet_of(named)  # type: ignore[arg-type]
            for named in self.networks
        )

    def candidates(self, host: str, port: int) -> list[str]:
        """Resolve `host` once and return the addresses to connect to, IPv4 first: phones speak little else.

        One forbidden address among the answers forbids them all: an honest name does not mix the two.
        """
        addresses = resolve_all(host, port)
        for address in addresses:
            if not self.allows(address):
                where = f"the networks of the setting {self.setting}" if self.setting else "the allowed networks"
                what = host if host == address else f"{host} is at {address}, which"
                raise TransportError(
                    f"{what} is neither public nor in one of {where}", permanent=True, code="outside-networks"
                )
        return addresses

    def resolve(self, host: str, port: int) -> str:
        """Return the one address of `host` to connect to; TransportError if there is none allowed."""
        return self.candidates(host, port)[0]


def resolve_all(host: str, port: int) -> list[str]:
    """Return every address of `host`, unchecked, IPv4 first; TransportError when there is none."""
    if not host:  # the resolver would take this for the machine itself
        raise TransportError("There is no host name to connect to", permanent=True, code="unresolved")
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, ValueError) as error:  # ValueError: a name that cannot be encoded, or with a NUL in it
        temporary = isinstance(error, socket.gaierror) and error.errno == socket.EAI_AGAIN
        raise TransportError(
            f"The name {host!r} cannot be resolved: {error}", permanent=not temporary, code="unresolved"
        ) from error
    ordered = sorted(found, key=lambda answer: answer[0] != socket.AF_INET)
    return list(dict.fromkeys(str(answer[4][0]) for answer in ordered))


def _inside(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _is_public(address: Address) -> bool:
    if isinstance(address, IPv6Address) and (
        address not in _GLOBAL_UNICAST or _inside(address, _TUNNELLED) or address.scope_id
    ):
        return False
    # is_global alone is not enough: it is true of multicast and of some reserved addresses.
    return address.is_global and not (address.is_multicast or address.is_reserved)


@dataclass
class Deadline:
    """A moment on the monotonic clock that a whole conversation respects, however many reads it takes."""

    moment: float

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        return cls(time.monotonic() + seconds)

    def renew(self, seconds: float) -> None:
        """Begin the next conversation on the same connection."""
        self.moment = time.monotonic() + seconds

    def left(self) -> float:
        return max(0.0, self.moment - time.monotonic())

    def remaining(self) -> float:
        """Return the seconds left; TimeoutError when there are none, so that no read can start late."""
        if not (left := self.left()):
            raise TimeoutError
        return left


def checked_address(networks: Networks | None, host: str, port: int) -> str:
    """Return the one address of `host` to talk to; without networks the caller vouches for the host."""
    return networks.resolve(host, port) if networks is not None else resolve_all(host, port)[0]


def connection_error(error: OSError, peer: str, exchange: Exchange = NO_EXCHANGE) -> TransportError:
    """Turn what the socket said about `peer` into the family's error; all of these may pass by themselves."""
    if isinstance(error, ConnectionRefusedError):
        code, message = "refused", f"{peer} refuses the connection: nothing listens there"
    elif isinstance(error, TimeoutError):
        code, message = "timeout", f"{peer} did not answer in time"
    elif error.errno in _UNREACHABLE:
        code, message = "unreachable", f"There is no way to {peer}: {error.strerror}"
    elif isinstance(error, ConnectionError):
        code, message = "closed", f"{peer} closed the connection"
    else:
        code, message = "network", f"Talking to {peer} failed: {error}"
    return TransportError(message, code=code, exchange=exchange)


def evidence(text: str | bytes, limit: int = EVIDENCE_LIMIT) -> str:
    """Return wire text fit to be stored: decoded, without NUL (PostgreSQL takes none), of bounded length."""
    decoded = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    decoded = decoded.replace("\x00", "\ufffd")
    if len(decoded) <= limit:
        return decoded
    return f"{decoded[:limit]}\n… ({len(decoded) - limit} more characters)"
