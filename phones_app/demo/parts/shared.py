"""What the demo's phones read beside their own files, in the form of the real ones: a dial template, a ring list with its
tone, the tones of a country, and a load that is newer than the one which the 7962 comes with.

The soft keys that their files name are missing, so that it can be seen how this is told.
"""

from io import BytesIO

from contacts_app.accounts.models import Account
from phones_app.demo.firmware import classic_set
from phones_app.demo.parts.base import DemoPart, Scene, ever_had
from phones_app.firmware.adding import add_firmware
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile
from phones_app.shared_files.services import NewFile, put_many

LOAD, COMPONENTS = "SCCP42.9-4-2SR3-1S", "9-4-2ES26"
DIAL_TEMPLATE = """<DIALTEMPLATE>
  <TEMPLATE MATCH="1.." TIMEOUT="0"/>
  <TEMPLATE MATCH="9,*" TIMEOUT="4"/>
  <TEMPLATE MATCH="*" TIMEOUT="10"/>
</DIALTEMPLATE>
"""
RING_LIST = """<CiscoIPPhoneRingList>
  <Ring><DisplayName>Ship's bell</DisplayName><FileName>Bell.raw</FileName></Ring>
</CiscoIPPhoneRingList>
"""
TONES = "<tones><localeName>United_Kingdom</localeName></tones>\n"
# A second of a rectangle: µ-law, 8 kHz, mono.
BELL = (b"\x00" * 8 + b"\x80" * 8) * 500
FILES = {
    "dialplan.xml": (DIAL_TEMPLATE.encode(), "Three digits inside the hotel, 9 for an outside line."),
    "Ringlist.xml": (RING_LIST.encode(), ""),
    "Bell.raw": (BELL, "On the hour, in the lobby."),
    "United_Kingdom/g3-tones.xml": (TONES.encode(), ""),
}


def _was_made(account: Account) -> bool:
    return ever_had(SharedFile, account_id=account.pk, path="dialplan.xml")


def _make(scene: Scene) -> None:
    put_many(
        NewFile(path, store.store([content]), account=scene.account, description=description)
        for path, (content, description) in FILES.items()
    )
    files = {name: BytesIO(content) for name, content in classic_set(LOAD, COMPONENTS).items()}
    add_firmware(files, account=scene.account)


PART = DemoPart("shared files", _was_made, _make)
