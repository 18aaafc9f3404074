"""Lines and the PBX side in the web admin."""

import pytest
from django.contrib.admin.models import LogEntry
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from phones_app.configuration.models import LayerLine
from profiles_app.phone.models import Line
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
LIST = reverse("admin:profiles_app_line_changelist")
PBX = reverse("admin:phones_app_phone_pbx")
MAC = "AA:BB:CC:DD:EE:01"


def form(**changes: object) -> dict[str, object]:
    names = ("user", "display_name", "label", "voicemail", "name", "auth_name", "new_secret", "mailbox")
    return {"extension": "301", **dict.fromkeys((*names, "max_calls", "busy_trigger"), "")} | changes


def test_a_line_is_added_and_its_password_never_shown(clerk_desk, acme):
    add = reverse("admin:profiles_app_line_add")
    answer = clerk_desk.post(add, form(account=acme.pk, new_secret="s3cret-of-301"))
    assert answer.status_code == 302, answer.context["errors"]
    line = Line.objects.get()
    assert line.auth_password == "s3cret-of-301"
    page = clerk_desk.get(reverse("admin:profiles_app_line_change", args=[line.pk])).content.decode()
    assert "s3cret-of-301" not in page
    assert "One is stored" in page
    change = reverse("admin:profiles_app_line_change", args=[line.pk])
    clerk_desk.post(change, form(label="Front"))
    line.refresh_from_db()
    assert (line.label, line.auth_password) == ("Front", "s3cret-of-301")
    again = clerk_desk.post(change, form(max_calls=2, busy_trigger=3, new_secret=" x"))
    assert set(again.context["adminform"].form.errors) == {"busy_trigger", "new_secret"}


def imported(desk, content: str):
    page = desk.post(
        reverse("admin:profiles_app_line_import"), {"file": SimpleUploadedFile("lines.csv", content.encode())}
    )
    assert page.status_code == 302
    return page.url


def test_a_csv_with_phones_is_looked_at_and_imported(clerk_desk, acme, new_phone):
    new_phone(MAC.replace(":", ""))
    new_phone("AABBCCDDEE02")
    url = imported(clerk_desk, f'extension,phone\n301,"{MAC}, AA:BB:CC:DD:EE:02"\n302,{MAC}\n')
    page = clerk_desk.get(url).content.decode()
    assert "301 is on several phones" in page
    assert not Line.objects.exists()
    clerk_desk.post(url)
    assert [str(use.line) for use in LayerLine.objects.filter(layer__phone__mac=MAC.replace(":", ""))] == ["301", "302"]
    line = Line.objects.get(extension="301")
    page = clerk_desk.get(reverse("admin:profiles_app_line_change", args=[line.pk])).content.decode()
    assert f"Phone {MAC}" in page
    assert "bulk" in clerk_desk.get(reverse("admin:profiles_app_line_import")).content.decode().lower()


def test_a_line_in_use_is_deleted_with_its_uses(clerk_desk, acme, new_phone):
    new_phone(MAC.replace(":", ""))
    clerk_desk.post(imported(clerk_desk, f"extension,phone\n301,{MAC}\n"))
    delete = reverse("admin:profiles_app_line_delete", args=[Line.objects.get().pk])
    assert f"Phone {MAC}" in clerk_desk.get(delete).content.decode()
    clerk_desk.post(delete, {"post": "yes"})
    assert not Line.objects.exists()
    assert not LayerLine.objects.exists()


def test_a_sip_conf_with_mistakes_is_told_by_section(clerk_desk, acme):
    url = imported(clerk_desk, "[301]\ntype=friend\nhost=dynamic\nnonsense\n")
    page = clerk_desk.get(url).content.decode()
    assert "Row 4, [301]" in page
    clerk_desk.post(url)
    assert not Line.objects.exists()


def test_the_pbx_side_of_a_selection(root_desk, clerk_desk, acme, other, new_phone, new_profile):
    phones = [new_phone(f"AABBCCDDEE0{n}", current_profile=new_profile(content=sip_file(f"100{n}"))) for n in (1, 2)]
    keys = ",".join(str(phone.pk) for phone in phones)
    stranger = new_phone("AABBCCDDEE09", account=other, current_profile=new_profile(content=sip_file("1009")))
    chosen = {"action": "pbx_selected", "_selected_action": [phone.pk for phone in phones]}
    page = root_desk.post(reverse("admin:phones_app_phone_changelist"), chosen).content.decode()
    assert "password = very-secret-1001" in page
    assert "[1002]" in page
    assert LogEntry.objects.filter(change_message__contains="passwords").count() == 2
    hidden = clerk_desk.get(PBX, {"phones": f"{keys},{stranger.pk}", "dialect": "chan_sip"}).content.decode()
    assert "[1001]" in hidden
    assert "very-secret" not in hidden
    assert "1009" not in hidden
    assert clerk_desk.get(PBX, {"phones": str(stranger.pk)}).status_code == 404
    assert clerk_desk.get(PBX, {"phones": "x"}).status_code == 404
    file = root_desk.post(PBX, {"phones": keys, "dialect": "chan_sip_22", "context": "phones", "download": ""})
    assert file["Content-Disposition"] == 'attachment; filename="patchbay-chan_sip_22.conf"'
    assert file.content.decode().count("context = phones") == 2
    wrong = root_desk.post(PBX, {"phones": keys, "context": "a]b"})
    assert "cannot be the name of a section" in wrong.content.decode()


def test_the_pbx_side_needs_the_right_to_see_lines(clerk_desk, acme_clerk, new_phone, new_profile):
    phone = new_phone(current_profile=new_profile())
    acme_clerk.user_permissions.remove(*acme_clerk.user_permissions.filter(codename="view_line"))
    assert clerk_desk.get(PBX, {"phones": str(phone.pk)}).status_code == 403
