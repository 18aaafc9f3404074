"""Every page in both sizes: nothing sticks out, nothing breaks, nothing is loaded from outside."""

import re
from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import expect

from contacts_app.accounts.models import Extension
from contacts_app.people.login import open_session
from contacts_app.tokens.services import create_token
from phones_app.boot.fetches import Fetch
from phones_app.boot.recording import record_fetch
from phones_app.deployment.request import deploy
from phones_app.inventory.models import Phone, ServiceSession
from phones_app.mobility.enrolment import make_codes
from phones_app.mobility.models import EnrolmentRequest
from phones_app.mobility.services import open_service_session
from phones_app.servers.models import CallManager, FileServer, KeyMacro
from phones_app.shared_files import services as shared_files
from phones_app.shared_files import store
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.models import KeyLayout
from tests.phones_app.configuration import data
from tests.phones_app.configuration.data import made_profile
from tests.phones_app.counting import AskedCounter
from tests.phones_app.site import ACTOR, sip_file

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def furnished(site, acme, alice, no_inline_work):
    """At least one row on every list."""
    phone = site.phone(name="Reception desk", location="Ground floor", web_password="push-Pa55")
    profile = site.profile(content=sip_file().replace("<webAccess>0", "<webAccess>1"))
    deploy(phone=phone, profile=profile, actor=ACTOR)
    record_fetch(Fetch(f"SEP{phone.mac}.cnf.xml", "127.0.0.1", "http", size=1500, complete=True))
    requests = AskedCounter()
    requests.note(Fetch(f"SEP{phone.mac}.cnf.xml", "127.0.0.1", "http", size=1500, complete=True))
    requests.note(Fetch("United_Kingdom/be-sip-of-the-longest-name.xml", "127.0.0.1", "http", missing=True))
    requests.write()
    open_service_session(phone=phone, user=alice, address="127.0.0.1")
    open_session(alice, "192.0.2.1")
    create_token(account=acme, name="CRM")
    Extension.objects.create(account=acme, number=1001, name="Reception")
    CallManager.objects.create(account=acme, name="PBX", kind="ami", host="127.0.0.1", port=5038, password="ami-Pa55")
    KeyMacro.objects.get_or_create(name="79xx reset", defaults={"phone_models": "79*", "steps": "Key:Settings"})
    make_codes(account=acme, profile=profile, expires_at=timezone.now() + timedelta(days=1), actor=ACTOR)
    EnrolmentRequest.objects.create(account=acme, mac="02000000AA01", address="127.0.0.1", model="8845", user=alice)
    made = made_profile(alice)
    desk = data.phone(acme, 1, made, name="Made from data")
    keys = [{"module": 0, "position": 1, "kind": "line", "line": 1, "target": "", "label": "", "options": {}}]
    layout = KeyLayout.objects.create(account=acme, name="Two lines", keys=keys)
    data.layer(acme, values={"pbx": "pbx.example.org", "ntp_servers": "10.0.0.1", "time_zone": "Europe/Berlin"})
    data.layer(acme, kind="phone", phone=desk, lines=[data.line(acme)], key_layout=layout)
    shared_files.put("Desktops/320x212x12/TheHarbourInTheEvening.png", store.store([b"picture"]), account=acme)
    assert ServiceSession.objects.exists()
    assert FileServer.objects.exists()
    return phone, profile


def all_pages(phone, profile) -> dict[str, str]:
    deploy_url = reverse("admin:phones_app_phone_deploy")
    made = Phone.objects.get(name="Made from data")
    pages = {
        "overview": reverse("admin:index"),
        "change-log": reverse("change_log"),
        "role": reverse("admin:auth_group_add"),
        "doctor": reverse("doctor"),
        "columns": reverse("admin:phones_app_phone_columns"),
        "asked-in-vain": reverse("admin:phones_app_requestedfile_in_vain"),
        "add-firmware": reverse("admin:phones_app_firmware_package"),
        "default-loads": reverse("admin:phones_app_firmware_default_loads"),
        "ways-between-loads": reverse("admin:phones_app_firmware_gates"),
        "adopting": reverse("admin:phones_app_phone_adopting"),
        "deploy-choose": f"{deploy_url}?phones={phone.pk}",
        "deploy-preview": f"{deploy_url}?phones={phone.pk}&profile={profile.pk}",
        "replace": reverse("admin:phones_app_phone_replace", args=[phone.pk]),
        "log-in": reverse("admin:phones_app_phone_log_in", args=[phone.pk]),
        "change-many": f"{reverse('admin:phones_app_phone_bulk')}?phones={phone.pk}",
        "upload-shared-files": reverse("admin:phones_app_sharedfile_upload"),
        "replace-shared-file": reverse("admin:phones_app_sharedfile_replace", args=[SharedFile.objects.get().pk]),
        "upload-files": reverse("admin:profiles_app_phoneprofile_files"),
        "configuration": reverse("admin:phones_app_phone_configuration", args=[made.pk]),
        "configuration-edit": f"{reverse('admin:phones_app_phone_configuration', args=[made.pk])}?edit=ntp_servers",
        "built-in": reverse("admin:profiles_app_phonetemplate_copy"),
        "restart-preview": f"{reverse('admin:phones_app_phone_restart')}?phones={phone.pk}",
        "help": reverse("admin:help_index"),
        "help-chapter": reverse("admin:help", args=["operations.md"]),
        "time-zone": reverse("admin:time_zone"),
        "cockpit": reverse("admin:phones_app_phone_cockpit", args=[phone.pk]),
        "password": reverse("admin:auth_user_password_change", args=[profile.user_id]),
        "history": reverse("admin:profiles_app_phoneprofile_history", args=[profile.pk]),
        "delete": reverse("admin:profiles_app_phoneprofile_delete", args=[profile.pk]),
    }
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages[model._meta.model_name] = reverse(f"{name}_changelist")
        if row := model._default_manager.first():
            pages[f"{model._meta.model_name}-change"] = reverse(f"{name}_change", args=[row.pk])
        pages[f"{model._meta.model_name}-add"] = reverse(f"{name}_add")
    return pages


def test_every_page_fits_small_and_large_windows(window, furnished):
    """Each is loaded once, as the window is; then that becomes the other, in which the next one is loaded.

    axe-core looks at each in the second of the two, which are the looks in turn: it takes as long as all else.
    """
    looks = [("phone", "dark"), ("desktop", "light")]
    desk = window(*looks[0])
    too_wide, nameless, faint, serious = {}, {}, {}, {}
    for name, url in all_pages(*furnished).items():
        answer = desk.page.goto(f"{desk.base}{url}")
        if answer.status == 403 and name.endswith("-add"):
            desk.errors.clear()  # The browser reports the refusal, which is right: nobody adds these rows.
            continue
        assert answer.status == 200, name
        for size, theme in looks:
            desk.become(size, theme)
            desk.picture(f"{name}-{size}-{theme}")
            if pixels := desk.sticks_out():
                too_wide[name, size] = pixels
            nameless |= dict.fromkeys(desk.nameless(), name)
            faint |= dict.fromkeys(desk.faint(), (name, theme))
        # Of texts says the line before.
        serious |= dict.fromkeys(desk.serious(colours=False), (name, size))
        looks.reverse()
    assert not too_wide
    assert not nameless, "\n".join(f"{name}: {box}" for box, name in nameless.items())
    assert not faint, "\n".join(f"{name}: {text}" for text, name in faint.items())
    assert not serious, "\n".join(f"{name}: {what}" for what, name in serious.items())


def test_the_keyboard_gets_past_the_editor_and_out_of_it(window, furnished):
    _, profile = furnished
    desk = window()
    page = desk.page
    desk.open(reverse("admin:profiles_app_phoneprofile_change", args=[profile.pk]))
    page.locator(".ace_editor").wait_for()
    before = page.evaluate("document.querySelector('.django-ace-widget').editor.getValue()")
    inside = "document.activeElement.closest('.ace_editor') !== null"
    page.locator("#id_compatible_models").focus()
    passed = []
    for _ in range(12):
        page.keyboard.press("Tab")
        passed.append(page.evaluate(inside))
    assert True in passed
    assert not passed[-1], "Tab goes on behind the editor"
    page.locator(".ace_content").click()
    page.keyboard.press("Tab")
    assert page.evaluate(inside), "within, Tab indents"
    page.keyboard.press("Escape")
    for _ in range(4):
        page.keyboard.press("Tab")
    assert not page.evaluate(inside)
    assert page.evaluate("document.querySelector('.django-ace-widget').editor.getValue()") != before
    page.on("dialog", lambda dialog: dialog.accept())


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_editor_follows_the_theme_and_marks_what_is_wrong(window, furnished, theme):
    _, profile = furnished
    desk = window("desktop", theme)
    page = desk.page
    desk.open(reverse("admin:profiles_app_phoneprofile_change", args=[profile.pk]))
    page.locator(".ace_editor").wait_for()
    # A theme is loaded when it is wanted.
    expect(page.locator(".ace_editor.ace_dark")).to_have_count(int(theme == "dark"))
    broken = "<device>\\n<broken>\\n</device>\\n"
    page.evaluate(f"document.querySelector('.django-ace-widget').editor.setValue('{broken}', -1)")
    page.get_by_role("button", name="Save and continue editing").click()
    page.locator(".errorlist, .text-red-600").first.wait_for()
    expect(page.get_by_text("line 3, column").first).to_be_visible()
    page.locator(".ace_gutter-cell.ace_error").wait_for()
    desk.picture(f"profile-error-{theme}")
    profile.refresh_from_db()
    assert profile.revision.number == 1


def test_a_link_of_a_check_leads_to_the_line_in_the_editor(window, furnished):
    _, profile = furnished
    desk = window()
    desk.open(reverse("admin:profiles_app_phoneprofile_change", args=[profile.pk]))
    link = desk.page.locator("a[data-line]").first
    line = int(link.get_attribute("data-line"))
    link.click()
    row = "document.querySelector('.django-ace-widget').editor.getCursorPosition().row"
    desk.page.wait_for_function(f"{row} === {line - 1}")


def test_editing_in_the_browser_changes_nothing_but_what_was_typed(window, furnished):
    _, profile = furnished
    desk = window()
    desk.open(reverse("admin:profiles_app_phoneprofile_change", args=[profile.pk]))
    before = profile.content
    desk.page.evaluate(
        "const editor = document.querySelector('.django-ace-widget').editor;"
        "editor.setValue(editor.getValue().replace('Desk', 'Lobby'), -1)"
    )
    desk.page.get_by_role("button", name="Save and continue editing").click()
    desk.page.get_by_text("was changed successfully").wait_for()
    profile.refresh_from_db()
    assert profile.content == before.replace(b"Desk", b"Lobby", 1)


def test_a_new_token_is_copied_and_a_reload_makes_no_second_one(window, acme):
    from contacts_app.tokens.models import ApiToken

    desk = window()
    page = desk.page
    desk.open(reverse("admin:contacts_app_apitoken_add"))
    page.fill("#id_name", "CRM")
    page.select_option("#id_scope", "staff")
    page.fill("#id_expires_at_0", "2099-01-01")
    page.fill("#id_expires_at_1", "12:00:00")
    page.get_by_role("button", name="Save", exact=True).click()
    text = page.locator("[data-token]").inner_text()
    assert text.startswith("pb_")
    desk.picture("token-created")
    page.get_by_role("button", name="Copy").click()
    page.get_by_role("button", name="Copied").wait_for()
    page.reload()
    assert text not in page.content()
    assert ApiToken.objects.count() == 1


def test_an_import_that_takes_its_time_says_so_and_is_not_sent_twice(window):
    desk = window()
    page = desk.page
    desk.open(reverse("admin:phones_app_phone_import"))
    page.evaluate("document.addEventListener('submit', (event) => event.preventDefault())")  # it takes for ever
    page.set_input_files("input[type=file]", {"name": "p.csv", "mimeType": "text/csv", "buffer": b"mac,name\n"})
    page.get_by_role("button", name="Check the file").click()
    page.get_by_role("status").get_by_text(re.compile(r"Reading and checking the file … [1-9]\d* s")).wait_for()
    expect(page.get_by_role("button", name="Check the file")).to_be_disabled()
    desk.picture("import-under-way")


def test_the_documentation_of_the_apis_loads_nothing_from_elsewhere(window):
    """It draws itself by scripts, which may load what no page says; the window notices what strays."""
    desk = window()
    desk.open(reverse("docs"))
    desk.page.locator(".opblock").first.wait_for()
    desk.open(reverse("redoc"))
    desk.page.locator("[data-section-id]").first.wait_for()
