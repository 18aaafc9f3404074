"""Passwords go in and never come out: not on a page, not in the history, not in an error."""

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from contacts_app.core.actor import system
from phones_app.deployment.request import deploy
from phones_app.inventory.models import Phone
from phones_app.servers.models import CallManager, FileServer
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
STORED = ("push-Pa55", "ftp-Pa55", "ami-Pa55")
IN_THE_FILE = "very-secret-1001"


@pytest.fixture
def rows(acme, alice, new_phone, new_profile, shared_server):
    """Everything that holds a secret, and a deployment of it."""
    alice.set_pin("4711")
    alice.save()
    profile = new_profile()
    phone = new_phone(web_username="push", web_password="push-Pa55", current_profile=profile, phone_ip="127.0.0.1")
    deployment = deploy(phone=phone, profile=profile, actor=system("test"))
    return [
        phone,
        profile,
        profile.revision,
        deployment,
        FileServer.objects.create(account=acme, name="Files", host="127.0.0.1", username="u", password="ftp-Pa55"),
        CallManager.objects.create(
            account=acme, name="PBX", kind="ami", host="127.0.0.1", port=5038, username="u", password="ami-Pa55"
        ),
        alice,
    ]


def pages_about(rows) -> list[str]:
    pages = [reverse("admin:index")]
    for row in rows:
        name = f"admin:{row._meta.app_label}_{row._meta.model_name}"
        pages += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])]
        pages += [reverse(f"{name}_history", args=[row.pk])]
    phone, profile = rows[:2]
    pages.append(f"{reverse('admin:phones_app_phone_deploy')}?phones={phone.pk}&profile={profile.pk}")
    pages.append(reverse("admin:phones_app_deployment_timeline", args=[rows[3].pk]))
    return pages


def test_no_page_of_a_clerk_holds_a_password(clerk_desk, rows, alice):
    for url in pages_about(rows):
        answer = clerk_desk.get(url)
        assert answer.status_code == 200, url
        page = answer.content.decode()
        for secret in (*STORED, IN_THE_FILE, alice.pin_hash, alice.password):
            assert secret not in page, (url, secret)


def test_not_even_root_is_shown_what_is_stored_encrypted(root_desk, rows, alice):
    for url in pages_about(rows):
        page = root_desk.get(url).content.decode()
        for secret in (*STORED, alice.pin_hash, alice.password):
            assert secret not in page, (url, secret)


def test_who_may_only_look_sees_no_password_either(rows, acme):
    from tests.admin_people import at_desk, clerk

    watcher = clerk(acme, "watcher@acme.example")
    watcher.user_permissions.set(watcher.user_permissions.filter(codename__startswith="view_"))
    desk = at_desk(watcher)
    for row in rows:
        page = desk.get(reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk]))
        assert page.status_code == 200, row
        assert not [secret for secret in (*STORED, IN_THE_FILE) if secret in page.content.decode()], row


def phone_form(phone: Phone, **fields: object) -> dict[str, object]:
    return {
        "mac": phone.mac_with_colons, "account": phone.account_id, "model": phone.model, "name": phone.name,
        "software_type": phone.software_type, "is_active": "on", "sip_port": 5060, "web_port": 80,
        "web_username": "push", "brand": "Cisco",
    } | fields  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "kept"),
    [({}, "push-Pa55"), ({"new_secret": " n3w "}, " n3w "), ({"forget_secret": "on"}, "")],
    ids=["an empty field keeps it", "a new one replaces it", "it can be forgotten"],
)
def test_a_stored_password_is_kept_replaced_or_forgotten(clerk_desk, rows, typed, kept):
    url = reverse("admin:phones_app_phone_change", args=[rows[0].pk])
    assert clerk_desk.post(url, phone_form(rows[0], name="Bar", **typed)).status_code == 302
    phone = Phone.objects.get()
    assert (phone.name, phone.web_password) == ("Bar", kept)


def test_the_history_names_the_field_and_not_the_password(clerk_desk, rows):
    url = reverse("admin:phones_app_phone_change", args=[rows[0].pk])
    clerk_desk.post(url, phone_form(rows[0], new_secret="n3w-Pa55"))
    entry = LogEntry.objects.latest("pk")
    assert "Push password" in entry.get_change_message()
    assert "n3w-Pa55" not in f"{entry.change_message} {entry.object_repr}"


def test_a_form_that_comes_back_with_an_error_has_forgotten_the_password(clerk_desk, rows):
    url = reverse("admin:phones_app_phone_change", args=[rows[0].pk])
    page = clerk_desk.post(url, phone_form(rows[0], new_secret="n3w-Pa55", mac="nonsense"))
    assert page.status_code == 200
    assert "n3w-Pa55" not in page.content.decode()


def test_an_error_page_says_nothing(root, rows, monkeypatch):
    from phones_app.admin import PhoneAdmin

    def broken(*_: object) -> None:
        raise RuntimeError("ftp-Pa55")

    monkeypatch.setattr(PhoneAdmin, "save_model", broken)
    client = Client(raise_request_exception=False)
    client.force_login(root, backend="contacts_app.people.login.EmailOrUsernameBackend")
    url = reverse("admin:phones_app_phone_change", args=[rows[0].pk])
    answer = client.post(url, phone_form(rows[0], new_secret="n3w-Pa55"))
    assert answer.status_code == 500
    assert b"Pa55" not in answer.content


def test_a_search_does_not_look_into_files(clerk_desk, rows):
    page = clerk_desk.get(reverse("admin:profiles_app_phoneprofile_changelist"), {"q": "very-secret"})
    assert page.context["cl"].result_count == 0
    assert IN_THE_FILE in sip_file()
