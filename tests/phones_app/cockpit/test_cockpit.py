"""The cockpit: what staff see of a phone and do at it from a distance, and what nobody sees who has not been given it."""

import contextlib
import gzip
import io

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from PIL import Image

from contacts_app.core.memory import forget_everything
from contacts_app.people.login import open_session
from contacts_app.people.models import User
from contacts_app.tokens.services import create_token
from phones_app.inventory.models import Phone
from phones_app.simulator.state import Fault
from tests.admin_people import at_desk
from tests.apis.conftest import Caller
from tests.peers.phone_web import PhoneWebServer
from tests.servers import wait_for

pytestmark = pytest.mark.django_db(transaction=True)
HTMX = {"HX-Request": "true"}
PARTS = {
    "screen": "see_phone_screen",
    "facts": "read_phone_pages",
    "log": "read_phone_log",
    "press": "press_phone_keys",
}


def url(phone: Phone, part: str) -> str:
    return reverse(f"admin:phones_app_phone_{part}", args=[phone.pk])


def with_role(name: str, account=None) -> User:
    user = User.objects.create_user(f"{name.split()[0].lower()}@desk.example", account=account, is_staff=True)
    user.groups.add(Group.objects.get(name=name))
    return user


def used(phone: Phone) -> list[tuple[str, str]]:
    rows = phone.history.filter(history_type="~").exclude(history_change_reason="")
    return list(rows.values_list("history_actor", "history_change_reason"))


def test_three_generations_show_their_screens_pages_and_logs(site, root_desk):
    phones = {model: site.phone(model=model) for model in ("8845", "7962", "6941")}
    sizes = {"8845": (800, 480), "7962": (298, 168), "6941": (396, 162)}
    with site.alive(*phones.values(), asks_around=False) as running:
        running[phones["8845"].mac].fault = Fault.IN_CALL
        for model, phone in phones.items():
            answer = root_desk.get(url(phone, "screen"))
            assert answer["Content-Type"] == "image/png", answer.content
            assert "no-store" in answer["Cache-Control"]
            picture = Image.open(io.BytesIO(answer.content))
            assert (picture.format, picture.size) == ("PNG", sizes[model])
            assert len(picture.getcolors(100_000)) > 1
            facts = root_desk.get(url(phone, "facts")).content.decode()
            assert f"CP-{model}" in facts
            assert root_desk.get(url(phone, "log")).content.decode().count("<code>/FS/messages") == 3
        busy = root_desk.get(url(phones["8845"], "facts")).content.decode()
        # The stream loses and jitters; the line and the call are told by newer firmware alone.
        for text in ("Packets lost", ">7<", "Worst jitter (ms)", ">21<", "CONNECTED", "9700"):
            assert text in busy
        assert "This phone has no such page." in root_desk.get(url(phones["7962"], "facts")).content.decode()


def test_a_key_is_pressed_and_written_down_with_who_pressed_it(site, root, root_desk):
    phone = site.phone()
    with site.alive(phone, asks_around=False) as running:
        one = running[phone.mac]
        page = root_desk.get(url(phone, "cockpit")).content.decode()
        assert 'value="Key:Applications"' in page
        assert 'value="Key:Directories"' not in page, "an 8845 has no such key"
        answer = root_desk.post(url(phone, "press"), {"key": "Key:Soft2", "_reason": "for Ann"}, headers=HTMX)
        assert answer.status_code == 200
        assert 'role="alert"' not in answer.content.decode()
        # The phone answers before it does what it is told.
        wait_for(lambda: one.shown[-1] == "Pressed last: Key:Soft2")
        for forbidden in ("Dial:0900555", "http://192.0.2.1/", "Key:Directories", ""):
            answer = root_desk.post(url(phone, "press"), {"key": forbidden}, headers=HTMX)
            assert "The phone has no such key." in answer.content.decode(), forbidden
        assert one.executes == 1
        assert root_desk.get(url(phone, "press")).status_code == 405
        for _ in range(2):
            root_desk.get(url(phone, "screen"))
    assert used(phone) == [(str(root), "Looked at its screen."), (str(root), "Pressed Softkey 2 (Key:Soft2). for Ann")]
    history = root_desk.get(reverse("admin:phones_app_phone_history", args=[phone.pk])).content.decode()
    assert "Pressed Softkey 2" in history
    assert "Used" in history


def test_each_part_needs_its_permission_and_tenants_have_none_by_default(site, acme, other):
    phone = site.phone()
    with site.alive(phone, asks_around=False):
        tenant = with_role("Tenant administrator", acme)
        desk = at_desk(tenant)
        change = reverse("admin:phones_app_phone_change", args=[phone.pk])
        assert "Cockpit…" not in desk.get(change).content.decode()
        assert desk.get(url(phone, "cockpit")).status_code == 403
        for part, codename in PARTS.items():
            asked = desk.post if part == "press" else desk.get
            assert asked(url(phone, part)).status_code == 403, part
            tenant.user_permissions.set([Permission.objects.get(codename=codename)])
            assert asked(url(phone, part), headers=HTMX).status_code == 200, part
        assert "Cockpit…" in desk.get(change).content.decode()
        stranger = with_role("Operator", other)
        assert at_desk(stranger).get(url(phone, "screen")).status_code == 404
        assert at_desk(with_role("Administrator")).get(url(phone, "screen")).status_code == 200
        assert at_desk(with_role("Auditor")).get(url(phone, "screen")).status_code == 403


def test_who_may_only_look_is_shown_no_keys(new_phone):
    helper, phone = with_role("Help desk"), new_phone()
    assert at_desk(helper).get(url(phone, "cockpit")).status_code == 403
    helper.user_permissions.add(Permission.objects.get(codename="see_phone_screen"))
    desk = at_desk(helper)
    page = desk.get(url(phone, "cockpit")).content.decode()
    assert "cockpit/screen.png" in page
    assert "Key:Soft1" not in page
    assert desk.post(url(phone, "press"), {"key": "Key:Soft1"}).status_code == 403


def test_nothing_is_asked_of_another_phone_and_no_password_goes_there(new_phone, root_desk):
    phone = new_phone(phone_ip="127.0.0.1", web_username="portal", web_password="push-Pa55")
    elsewhere = b"<DeviceInformation><MACAddress>AABBCCDDEE99</MACAddress></DeviceInformation>"
    with PhoneWebServer(pages={"/DeviceInformationX": elsewhere, "/CGI/Screenshot": b"BM"}).running() as server:
        Phone.objects.filter(pk=phone.pk).update(web_port=server.port)
        answer = root_desk.get(url(phone, "screen"))
        assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
        assert "is AA:BB:CC:DD:EE:99, not this one" in answer.content.decode()
        root_desk.post(url(phone, "press"), {"key": "Key:Soft1"}, headers=HTMX)
        assert not server.pressed
        assert {request[1] for request in server.requests} == {"/DeviceInformationX"}
        assert not any("Authorization" in headers for _, _, headers, _ in server.requests)
    assert not used(phone), "nothing was done, so nothing is written down"


def test_files_of_the_log_are_shown_as_text(site, root_desk, phone_with_log):
    phone, server = phone_with_log(
        **{
            "messages": b"one\r\n<script>alert(1)</script>\x1b[2J caf\xc3\xa9",
            "messages.0": gzip.compress(b"packed\n" * 100_000),
            "messages.1": b"a line\n" * 100_000,
        }
    )

    def shown(name: str) -> str:
        return root_desk.get(url(phone, "log"), {"file": name}).content.decode()

    first = shown("/FS/messages")
    assert "one\n&lt;script&gt;alert(1)&lt;/script&gt;\N{REPLACEMENT CHARACTER}[2J café</pre>" in first
    for name in ("/FS/messages.0", "/FS/messages.1"):
        text = shown(name)
        assert "its first 256 KB" in text
        assert 256 * 1024 < len(text) < 258 * 1024
    asked = len(server.requests)
    for name in ("/CGI/Screenshot", "/FS/../secret.log", "http://192.0.2.1/messages"):
        assert "has no such file of a log" in shown(name)
    assert {request[1] for request in server.requests[asked:]} == {"/DeviceInformationX", CONSOLE_LOGS}
    assert [what for _, what in used(phone)] == ["Read its log."]


CONSOLE_LOGS = "/CGI/Java/Serviceability?adapter=device.statistics.consolelog"


@pytest.fixture
def phone_with_log(new_phone):
    """A phone that has these files of a console log."""
    with contextlib.ExitStack() as stack:

        def make(**files: bytes):
            phone = new_phone(phone_ip="127.0.0.1")
            itself = f"<DeviceInformation><MACAddress>{phone.mac}</MACAddress></DeviceInformation>".encode()
            links = "".join(f"<a href='/FS/{name}'>x</a>" for name in files).encode()
            pages = {"/DeviceInformationX": itself, CONSOLE_LOGS: links}
            pages |= {f"/FS/{name}": content for name, content in files.items()}
            server = stack.enter_context(PhoneWebServer(pages=pages).running())
            Phone.objects.filter(pk=phone.pk).update(web_port=server.port)
            return phone, server

        yield make


def test_programs_see_and_do_the_same_under_the_same_permissions(site, acme, root):
    phone = site.phone()
    helper = User.objects.create_user("help@desk.example", account=acme, is_staff=True)
    owner = User.objects.create_user("owner@acme.example", account=acme, permission_level=0)
    api, by_owner = (Caller(open_session(user, None).access) for user in (helper, owner))
    by_account = Caller(create_token(account=acme)[1])
    at = f"/api/v1/phones/{phone.mac}"
    routes = {
        f"{at}/screen": "see_phone_screen",
        f"{at}/status-pages": "read_phone_pages",
        f"{at}/log": "read_phone_log",
        f"{at}/log-file?name=/FS/messages": "read_phone_log",
        f"{at}/keys": "press_phone_keys",
    }
    with site.alive(phone, asks_around=False) as running:
        for path, codename in routes.items():
            helper.user_permissions.clear()
            forget_everything()
            assert [one.send("get", path).status_code for one in (api, by_owner, by_account)] == [403] * 3, path
            helper.user_permissions.add(Permission.objects.get(codename=codename))
            forget_everything()
            answer = api.send("get", path)
            assert answer.status_code == 200, answer.content
            if path.endswith("screen"):
                assert answer["Content-Type"] == "image/png"
                assert Image.open(io.BytesIO(answer.content)).format == "PNG"
            elif path.endswith("messages"):
                assert f"NOT SEP{phone.mac}: " in answer.json()["data"]["text"]
            elif path.endswith("status-pages"):
                assert answer.json()["data"][0]["title"] == "Phone"
        groups = {group["group"]: [key["key"] for key in group["keys"]] for group in answer.json()["data"]}
        assert "Key:Soft2" in groups["Softkeys"]
        pressed = api.send("post", f"{at}/keys", {"key": "Key:Soft2"})
        assert pressed.json()["data"] == {"label": "Softkey 2", "key": "Key:Soft2"}
        wait_for(lambda: running[phone.mac].shown[-1] == "Pressed last: Key:Soft2")
        refused = api.send("post", f"{at}/keys", {"key": "Dial:0900555"})
        assert (refused.status_code, refused.json()["code"]) == (409, "unknown-key")
    assert (str(helper), "Pressed Softkey 2 (Key:Soft2).") in used(phone)


@pytest.mark.parametrize(
    "body",
    [b"<html><script>alert(1)</script></html>", b"BM" + bytes(2_200_000), b"GIF89a", b"<CiscoIPPhoneImage/>", b""],
    ids=["a page", "too large", "another format", "an empty object", "nothing"],
)
def test_only_a_picture_is_handed_on(new_phone, root_desk, body):
    phone = new_phone(phone_ip="127.0.0.1")
    itself = f"<DeviceInformation><MACAddress>{phone.mac}</MACAddress></DeviceInformation>".encode()
    with PhoneWebServer(pages={"/DeviceInformationX": itself, "/CGI/Screenshot": body}).running() as server:
        Phone.objects.filter(pk=phone.pk).update(web_port=server.port)
        answer = root_desk.get(url(phone, "screen"))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/svg+xml")
    assert not body or body not in answer.content
    assert b"script" not in answer.content
