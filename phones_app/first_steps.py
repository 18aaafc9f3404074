"""The first steps of a new portal that concern phones. Each is done when there is evidence of it, not when its page was
opened."""

import socket
from contextlib import closing, suppress
from ipaddress import ip_address

from django.conf import settings

from contacts_app.accounts.models import Account
from contacts_app.core.admin.first_steps import FirstStep
from contacts_app.core.admin.links import help_url, list_url
from contacts_app.core.net.wire import Network
from phones_app.boot.models import FileFetch
from phones_app.boot.services import WILDCARDS
from phones_app.deployment.models import Deployment, PhoneFile, State
from phones_app.inventory.models import Phone, Presence
from phones_app.servers.models import CallManager, FileServer
from phones_app.servers.services import phone_networks
from profiles_app.phone.models import PhoneProfile

TFTP_PORT = 69
# Of the documentation (RFC 5737): nothing is sent there, it only asks the machine for its way out.
ANYWHERE = "192.0.2.1"


def first_steps() -> list[FirstStep]:
    """Constant in their queries, each of which reads one row."""
    return [_networks(), _files(), _call_manager(), _account(), _phone(), _file(), _deployment()]


def address_for_phones() -> str:
    """The IPv4 address at which phones reach the embedded file server; "" where it listens for this machine alone."""
    host = settings.FILE_SERVER_TFTP_HOST
    if host in WILDCARDS:
        host = _own_address()
    with suppress(ValueError):
        address = ip_address(host)
        return "" if address.is_loopback or address.version != 4 else str(address)
    return ""


def _own_address() -> str:
    """From which address this machine speaks to phones: no packet is sent to find out."""
    network = _first_network()
    towards = str(network[0]) if network and network.version == 4 else ANYWHERE
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as asking, suppress(OSError):
        asking.connect((towards, TFTP_PORT))
        return str(asking.getsockname()[0])
    return ""


def _first_network() -> Network | None:
    """Of those that are named for phones, loopback apart."""
    with suppress(ValueError):
        return next((network for network in phone_networks().networks if not network.is_loopback), None)
    return None


def option_values(address: str) -> tuple[tuple[str, str], ...]:
    """The DHCP options by which phones find the file server (Cisco phones spec §3)."""
    return (
        ("DHCP option 150, as an address", address),
        ("DHCP option 150, as hexadecimal", ip_address(address).packed.hex().upper()),
        ("DHCP option 66, as text", address),
    )


def _networks() -> FirstStep:
    done = _first_network() is not None or Phone.objects.filter(presence=Presence.REACHABLE).exists()
    text = "Patchbay speaks to no private address until the networks of phones, file servers and PBX are named."
    value = (("Environment of all processes", "PHONE_NETWORKS=10.20.0.0/16"),)
    return FirstStep(
        "Name the networks of the phones",
        done,
        text,
        help_url("operations.md#real-phones-the-check-list"),
        "How",
        values=value,
    )


def _files() -> FirstStep:
    tested = FileServer.objects.filter(is_embedded=False, tested_at__isnull=False, test_result="")
    done = FileFetch.objects.exists() or tested.exists()
    address = address_for_phones()
    if address:
        text = "Put the embedded file server into DHCP, and restart a phone; or add the file server that you have."
        if settings.FILE_SERVER_TFTP_PORT != TFTP_PORT:
            listens = settings.FILE_SERVER_TFTP_PORT
            text += f" Phones ask by TFTP on port {TFTP_PORT} only, and it listens on {listens}."
        values = option_values(address)
    else:
        text = (
            "The embedded file server listens for this machine alone. Start it for phones, and the values for DHCP stand "
            "here; or add the file server that you have, and test the connection."
        )
        values = (("Environment of the file server", "FILE_SERVER_HOST=0.0.0.0"),)
    return FirstStep(
        "Let phones find their files",
        done,
        text,
        list_url(FileServer),
        "File servers",
        "phones_app.change_fileserver",
        values,
    )


def _call_manager() -> FirstStep:
    done = CallManager.objects.filter(tested_at__isnull=False, test_result="").exists()
    text = "Asterisk sends the restart to phones and says where they are. Add it, and test the connection."
    return FirstStep(
        "Connect the call manager", done, text, list_url(CallManager), "Call managers", "phones_app.change_callmanager"
    )


def _account() -> FirstStep:
    text = "Each phone belongs to an account: your own company, or a customer."
    return FirstStep(
        "Add an account", Account.objects.exists(), text, list_url(Account), "Accounts", "contacts_app.add_account"
    )


def _phone() -> FirstStep:
    text = "Add one by its MAC address, or import a CSV file of many."
    return FirstStep(
        "Add the first phone", Phone.objects.exists(), text, list_url(Phone), "Phones", "phones_app.add_phone"
    )


def _file() -> FirstStep:
    text = "Make a phone profile: of a file that you have, or of the built-in template of the phone's model."
    done = PhoneProfile.objects.exists() or PhoneFile.objects.exists()
    return FirstStep(
        "Make the first file", done, text, list_url(PhoneProfile), "Phone profiles", "profiles_app.add_phoneprofile"
    )


def _deployment() -> FirstStep:
    text = "Deploy the profile to one phone and read the steps. It is done when a phone has confirmed its file."
    done = Deployment.objects.filter(state=State.CONFIRMED).exists()
    return FirstStep("Deploy it to a phone", done, text, list_url(Phone), "Phones", "phones_app.add_deployment")
