"""Phones whose files are made from data: two places, layers, lines, and a profile with a small template or a built-in."""

from contacts_app.core.actor import system
from phones_app.configuration.models import Layer, LayerLine
from phones_app.inventory.models import Phone
from profiles_app.phone.models import Line, PhoneProfile, PhoneTemplate, Source

ACTOR = system("test")
TEMPLATE = """<device>
  <deviceProtocol>SIP</deviceProtocol>
  <devicePool><dateTimeSetting><dateTemplate>D/M/Y</dateTemplate><timeZone>{{ time_zone }}</timeZone><ntps>
{% for server in ntp_servers %}
    <ntp><name>{{ server }}</name><ntpMode>unicast</ntpMode></ntp>
{% endfor %}
  </ntps></dateTimeSetting>
  <callManagerGroup><members><member priority="0"><callManager>
    <ports><sipPort>5060</sipPort></ports><processNodeName>{{ pbx }}</processNodeName>
  </callManager></member></members></callManagerGroup></devicePool>
  <sipProfile><sipProxies><registerWithProxy>true</registerWithProxy></sipProxies><sipLines>
{% for line in lines %}
    <line button="{{ line.index }}" lineIndex="{{ line.index }}">
      <featureID>9</featureID><featureLabel>{{ line.label }}</featureLabel><proxy>USECALLMANAGER</proxy>
      <name>{{ line.name }}</name><displayName>{{ line.display_name }}</displayName><contact>{{ line.name }}</contact>
      <authName>{{ line.auth_name }}</authName><authPassword>{{ line.auth_password }}</authPassword>
    </line>
{% endfor %}
  </sipLines></sipProfile>
  <versionStamp>1</versionStamp><transportLayerProtocol>2</transportLayerProtocol>
  <vendorConfig><webAccess>0</webAccess></vendorConfig>
</device>
"""


def made_profile(owner, name: str = "Made", text: str = TEMPLATE, **fields: object) -> PhoneProfile:
    template = PhoneTemplate.objects.create(account=owner.account, name=f"Template of {name}", text=text)
    return PhoneProfile.objects.create(user=owner, name=name, source=Source.TEMPLATE, template=template, **fields)


def layer(account=None, /, *, kind: str = "account", lines=(), **fields: object) -> Layer:
    row = Layer.objects.create(account=account, kind=kind, **fields)
    for position, line in enumerate(lines, 1):
        LayerLine.objects.create(layer=row, line=line, position=position)
    return row


def line(account, extension: str = "1001", **fields: object) -> Line:
    values = {"auth_password": f"secret-{extension}", "display_name": f"Person {extension}"} | fields
    return Line.objects.create(account=account, extension=extension, **values)


def phone(account, number: int = 1, profile: PhoneProfile | None = None, **fields: object) -> Phone:
    values = {"model": "8845", "software_type": "SIP", "location": "Munich"} | fields
    return Phone.objects.create(account=account, mac=f"0200000100{number:02X}", current_profile=profile, **values)
