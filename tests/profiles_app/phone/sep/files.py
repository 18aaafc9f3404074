"""SEP files written for these tests: small, sound, and easy to break in one place."""

from collections.abc import Callable
from typing import Any

from profiles_app.phone.sep.document import Refused

SIP_LINE = """
      <line button="1" lineIndex="1">
        <featureID>9</featureID>
        <featureLabel>Reception</featureLabel>
        <proxy>USECALLMANAGER</proxy>
        <name>1001</name>
        <displayName>Alice</displayName>
        <authName>1001</authName>
        <authPassword>wool-gathering</authPassword>
        <contact>5f3c2a91</contact>
      </line>"""

SERVER = """
      <member priority="0">
        <callManager>
          <ports><sipPort>5060</sipPort><securedSipPort>5061</securedSipPort></ports>
          <processNodeName>192.0.2.1</processNodeName>
        </callManager>
      </member>"""

SIP = f"""<?xml version="1.0" encoding="UTF-8"?>
<device>
  <deviceProtocol>SIP</deviceProtocol>
  <sshUserId>admin</sshUserId>
  <sshPassword>open-sesame</sshPassword>
  <devicePool>
    <callManagerGroup><members>{SERVER}
    </members></callManagerGroup>
  </devicePool>
  <sipProfile>
    <phoneLabel>Reception</phoneLabel>
    <sipLines>{SIP_LINE}
    </sipLines>
  </sipProfile>
  <vendorConfig><webAccess>0</webAccess></vendorConfig>
  <versionStamp>1</versionStamp>
  <transportLayerProtocol>2</transportLayerProtocol>
  <authenticationURL>http://192.0.2.1/authenticate</authenticationURL>
  <servicesURL>http://192.0.2.1/services</servicesURL>
</device>
"""

SCCP = """<device>
  <devicePool>
    <callManagerGroup><members>
      <member priority="0">
        <callManager>
          <ports><ethernetPhonePort>2000</ethernetPhonePort></ports>
          <processNodeName>192.0.2.1</processNodeName>
        </callManager>
      </member>
    </members></callManagerGroup>
  </devicePool>
  <versionStamp>1</versionStamp>
  <authenticationURL>http://192.0.2.1/authenticate</authenticationURL>
</device>
"""

CONVERSION = b'<device><loadInformation model="IP Phone 7960">P0S3-8-12-00</loadInformation></device>'


def sip(*replacements: tuple[str, str]) -> bytes:
    """Return the sound SIP file with texts replaced; a text that is not there fails the test."""
    return changed(SIP, *replacements)


def sccp(*replacements: tuple[str, str]) -> bytes:
    return changed(SCCP, *replacements)


def changed(text: str, *replacements: tuple[str, str]) -> bytes:
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    return text.encode()


def attempt(action: Callable[[Any], Any], value: Any) -> tuple[Any, str | None]:
    """Return the result and None, or None and the code of the refusal; any other exception fails the test."""
    try:
        return action(value), None
    except Refused as refused:
        return None, refused.code
