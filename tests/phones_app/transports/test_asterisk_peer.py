"""The PBX of the tests answers as recordings of real ones do, where a fake is easily wrong (Asterisk spec §H)."""

import socket
import time
from dataclasses import replace

from tests.peers.asterisk import Asterisk, Contact
from tests.peers.asterisk_pjsip import Pjsip

CONTACT = Contact("1001", "00112233-44550002-1b2c3d4e-5f607182@192.0.2.10")
UNKNOWN = "Message: Unable to retrieve endpoint nobody\r\n"


def said(pbx: Asterisk, *actions: str, secret: str = "") -> str:
    """All that a PBX says to these actions, from the greeting to the end."""
    log_in = f"Login|Username: {pbx.username}|Secret: {secret or pbx.secret}|Events: off"
    with pbx.running(), socket.create_connection(("127.0.0.1", pbx.port), timeout=5) as connection:
        for action in (log_in, *actions, "Logoff"):
            connection.sendall(f"Action: {action}\r\n\r\n".replace("|", "\r\n").encode())
        return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def test_a_log_in_is_answered_without_an_event() -> None:
    text = said(Asterisk())
    assert text.startswith("Asterisk Call Manager/11.0.0\r\nResponse: Success\r\n")
    assert "Message: Authentication accepted" in text
    assert "FullyBooted" not in text
    assert text.endswith("Message: Thanks for all the fish.\r\n\r\n")


def test_a_wrong_secret_is_refused_after_a_while() -> None:
    began = time.monotonic()
    assert "Message: Authentication failed\r\n" in said(Asterisk(refusal_seconds=0.2), secret="wrong")
    assert time.monotonic() - began > 0.2


def test_lists_and_endpoints_have_events_of_their_own() -> None:
    pjsip = Pjsip([CONTACT])
    listed = said(Asterisk(pjsip=pjsip), "PJSIPShowContacts")
    assert "Event: ContactList\r\n" in listed
    assert "Uri: sip:1001@192.0.2.10:5060;transport=udp\r\n" in listed
    assert "Status: NonQualified\r\n" in listed
    shown = said(Asterisk(pjsip=pjsip), "PJSIPShowEndpoint|Endpoint: 1001", "PJSIPShowEndpoint|Endpoint: nobody")
    assert "Event: ContactStatusDetail\r\n" in shown
    assert "URI: sip:1001@192.0.2.10:5060;transport=udp\r\n" in shown
    assert "DeviceState: Not in use\r\nActiveChannels: 0\r\n" in shown
    assert "Event: EndpointDetailComplete\r\n" in shown
    assert UNKNOWN in shown


def test_an_empty_list_has_an_extra_empty_block() -> None:
    assert "Message: No Contacts found\r\n\r\n\r\n" in said(Asterisk(), "PJSIPShowContacts")


def test_a_contact_registered_again_keeps_its_call_id() -> None:
    pjsip = Pjsip()
    pjsip.register(replace(CONTACT))
    pjsip.register(replace(CONTACT, call_id="another", expires_at=CONTACT.expires_at + 60))
    [kept] = pjsip.contacts
    assert (kept.call_id, kept.expires_at) == (CONTACT.call_id, CONTACT.expires_at + 60)


def test_a_notify_is_always_sent_but_to_an_unknown_endpoint() -> None:
    pbx = Asterisk(pjsip=Pjsip(endpoints={"1001"}))
    text = said(pbx, "PJSIPNotify|Endpoint: 1001", "PJSIPNotify|URI: sip:1001@x", "PJSIPNotify|Endpoint: nobody")
    assert text.count("Message: NOTIFY sent\r\n") == 2
    assert UNKNOWN in text


def test_a_failed_command_and_an_unknown_action_are_errors() -> None:
    text = said(Asterisk(modules=("pjsip",)), "Command|Command: sip show peers", "SCCPDeviceRestart|Devicename: SEP0")
    assert "Response: Error\r\nMessage: Command output follows\r\nOutput: No such command" in text
    assert "Message: Invalid/unknown command: SCCPDeviceRestart. Use Action: ListCommands" in text


def test_only_what_is_loaded_and_permitted_is_listed() -> None:
    listed = said(Asterisk(modules=("pjsip",), rights=("call",)), "ListCommands", "PJSIPNotify|Endpoint: 1001")
    assert "Getvar: Gets a channel variable or function value. (Priv: call,reporting,all)\r\n" in listed
    assert "PJSIPNotify:" not in listed
    assert "Message: Permission denied\r\n" in listed
