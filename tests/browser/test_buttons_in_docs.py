"""Whatever the handbook calls a button, a link or a list is called so on the page where it says it is."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from django.urls import reverse
from django.utils import timezone

from contacts_app.contacts.mail import queue_mail
from phones_app.configuration.models import PhoneConfiguration
from phones_app.deployment.models import FileState, PhoneFile
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from profiles_app.events.models.outbox import Delivery, Event
from profiles_app.events.models.setup import Callback
from profiles_app.messaging.sending.models import MessageGateway
from tests.browser.test_pages import furnished
from tests.browser.window import Window

__all__ = ["furnished"]

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
GUIDES = [str(path.relative_to(ROOT)) for folder in ("guide", "integrate") for path in ROOT.glob(f"docs/{folder}/*.md")]
HANDBOOK = (
    "README.md",
    *(f"docs/{page}.md" for page in ("operations", "events", "evidence", "configuration")),
    *GUIDES,
)
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
ITALIC = re.compile(r"(?<!\*)\*(?!\*)([^*\n]+)\*(?!\*)")
# What stands in italics and is a value, a word or a profile of the demo.
NO_PLACES = {
    *("on", "unreachable", "another phone there", "moved", "failed", "ready", "Not sent", "not deployed"),
    *("Fetches are seen", "Front desk day", "Front desk night", "Desk phones", "Portal"),
    *("The built-in template of the phone's model", "A template", "Call managers", "values", "locked", "fragment"),
    *("confirmed", "italics"),
}

Walk = Callable[[Window], None]


def at(page: str, *keys: object, button: str) -> Walk:
    """On this page there is a button or a link of this name."""

    def walk(desk: Window) -> None:
        path = reverse(f"admin:{page}", args=keys)
        if desk.page.url != f"{desk.base}{path}":
            desk.open(path)
        # What stands behind “More”.
        desk.see("document.querySelectorAll('.pb-more').forEach((more) => (more.open = true))")
        named = re.compile(rf"(^|\s){re.escape(button)}$")
        there = desk.page.get_by_role("button", name=named).or_(desk.page.get_by_role("link", name=named))
        there.first.wait_for()

    # So that those of one page come one after another, and it is loaded once.
    walk.page = (page, *keys)
    return walk


def by_menu(*titles: str) -> Walk:
    """The menu of every page has a link of the last title, below that of its section; Add is on the page of a list."""

    def walk(desk: Window) -> None:
        menu = desk.page.locator("#nav-sidebar, nav")
        for title in titles:
            if title == "Add":
                desk.page.locator("a.addlink").click()
                desk.page.locator(".pb-place").get_by_text("Add", exact=True).wait_for()
            elif title == titles[0] and len(titles) > 1 and titles[1] != "Add":
                menu.get_by_text(title, exact=True).first.wait_for()
            else:
                menu.get_by_role("link", name=re.compile(rf"(^|\s){re.escape(title)}$")).first.click()
                desk.page.locator(".pb-place").get_by_text(re.compile(title, re.IGNORECASE)).first.wait_for()

    return walk


@pytest.fixture
def walks(furnished, acme) -> dict[str, Walk]:
    phone, profile = furnished
    now = timezone.now()
    server = FileServer.objects.get()
    PhoneFile.objects.update_or_create(
        phone=phone,
        defaults={
            "server": server,
            "revision": profile.revision,
            "sha256": "0" * 64,
            "state": FileState.CHANGED,
            "uploaded_at": now,
            "state_since": now,
            "next_check_at": now,
            "found": b"<device/>",
        },
    )
    Phone.objects.filter(pk=phone.pk).update(current_profile=profile)
    made = Phone.objects.get(name="Made from data")
    PhoneConfiguration.objects.update_or_create(pk=made.pk, defaults={"sha256": "a" * 64, "due_at": None})
    context = {"heading": "x", "notices": [], "more": 0, "path": "/"}
    [mail] = queue_mail(to=["a@acme.example"], template="contacts_app/contacts/mail/notices", context=context)
    callback = Callback.objects.create(account=acme, name="Mine", config={"url": "https://hooks.example.org"})
    event = Event.objects.create(account=acme, tags=["call"], data_type="call", matched_at=now)
    delivery = Delivery.objects.create(
        account=acme, event=event, callback=callback, state="failed", next_attempt_at=now, finished_at=now
    )
    manager = CallManager.objects.get()
    gateway = MessageGateway.objects.create(name="Trial", kind=MessageGateway.Kind.SIMULATED)

    def both_servers(desk: Window) -> None:
        test = "Save and test the connection"
        at("phones_app_fileserver_change", server.pk, button=test)(desk)
        at("phones_app_callmanager_change", manager.pk, button=test)(desk)

    return {
        "Add firmware…": at("phones_app_firmware_changelist", button="Add firmware…"),
        "Adopt file…": at("phones_app_phone_change", phone.pk, button="Adopt file…"),
        "Put file back…": at("phones_app_phone_change", phone.pk, button="Put file back…"),
        "Save and test the connection": both_servers,
        "Replace handset…": at("phones_app_phone_change", phone.pk, button="Replace handset…"),
        "PBX side…": at("phones_app_phone_change", made.pk, button="PBX side…"),
        "Default loads": at("phones_app_firmware_changelist", button="Default loads"),
        "Ways between loads": at("phones_app_firmware_changelist", button="Ways between loads"),
        "Change…": at("phones_app_phone_configuration", made.pk, button="Change NTP servers"),
        "Configuration…": at("phones_app_phone_change", phone.pk, button="Configuration…"),
        "Copy a built-in template…": at("profiles_app_phonetemplate_changelist", button="Copy a built-in template…"),
        "Deploy…": at("profiles_app_phoneprofile_change", made.current_profile_id, button="Deploy…"),
        "Roll out…": at("profiles_app_phoneprofile_change", made.current_profile_id, button="Roll out…"),
        "Check status now": at("phones_app_phone_change", phone.pk, button="Check status now"),
        "Restart…": at("phones_app_phone_change", phone.pk, button="Restart…"),
        "Cockpit…": at("phones_app_phone_change", phone.pk, button="Cockpit…"),
        "Change log": at("index", button="Change log"),
        "Deleted": at("phones_app_phone_changelist", button="Deleted"),
        "Import…": at("profiles_app_line_changelist", button="Import…"),
        "Live use": at("profiles_app_outboundvoiceprofile_changelist", button="Live use"),
        "New receipt credential…": at(
            "profiles_app_messagegateway_change", gateway.pk, button="New receipt credential…"
        ),
        "Send a test…": at("profiles_app_messagegateway_change", gateway.pk, button="Send a test…"),
        "Deliver again": at("profiles_app_delivery_change", delivery.pk, button="Deliver again"),
        "Send again…": at("contacts_app_mail_change", mail.pk, button="Send again…"),
        "Send test event…": at("profiles_app_callback_change", callback.pk, button="Send test event…"),
    }


def named_in_the_handbook() -> set[str]:
    texts = (CODE.sub("", (ROOT / name).read_text(encoding="utf-8")) for name in HANDBOOK)
    return {name for text in texts for name in ITALIC.findall(text)} - NO_PLACES


def test_every_place_that_the_handbook_names_is_there(window, walks):
    desk = window()
    named = named_in_the_handbook()
    assert set(walks) <= named
    desk.open(reverse("admin:index"))
    for name in sorted(named - set(walks)):
        by_menu(*name.split(" → "))(desk)
    for walk in sorted(walks.values(), key=lambda walk: str(getattr(walk, "page", ""))):
        walk(desk)
