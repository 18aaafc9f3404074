"""A clerk of one account sees, finds, chooses and changes nothing of another."""

import json

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from contacts_app.accounts.models import AccountGroup, Extension
from contacts_app.contacts.mail import queue_mail
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.people.login import open_session
from contacts_app.people.models import LoginSession
from contacts_app.tokens.models import ApiToken
from contacts_app.tokens.services import create_token
from phones_app.boot.models import FileFetch, RequestedFile
from phones_app.configuration.models import Layer
from phones_app.deployment.models import Deployment, LeftFile
from phones_app.firmware.models import Firmware
from phones_app.inventory.models import Phone, PhoneGroup, ServiceSession
from phones_app.mobility.models import (
    EnrolmentCode,
    EnrolmentRequest,
    MobilityPolicy,
    MobilitySession,
    PersonMobility,
    PinFailures,
)
from phones_app.rollout.models import Rollout
from phones_app.servers.models import CallManager, FileServer, KeyMacro
from phones_app.shared_files.models import FileCopy, SharedFile
from profiles_app.phone.models import KeyLayout, Line, PhoneProfile, PhoneTemplate, ProfileRevision, Source

pytestmark = pytest.mark.django_db


@pytest.fixture
def strangers_rows(other, charlie, new_phone, new_profile):
    """One row of every kind that belongs to account Other."""
    phone = new_phone("001122334455", account=other, name="Strange phone")
    profile = new_profile("Strange profile", user=charlie)
    deployment = Deployment.objects.create(
        account=other, phone=phone, mac=phone.mac, profile=profile, profile_name="Strange profile", state="failed",
        requested_by="charlie", channel="x", next_attempt_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    server = FileServer.objects.create(account=other, name="Strange server", host="10.9.9.9")
    fetch = FileFetch.objects.create(
        mac=phone.mac, file_name="SEP001122334455.cnf.xml", sha256="0" * 64, size=1, address="10.9.9.9", protocol="http",
        fetched_at=timezone.now(),
    )  # fmt: skip
    return [
        other,
        charlie,
        AccountGroup.objects.create(account=other, name="Strange group"),
        NotificationContact.objects.get(account=other),
        Extension.objects.create(account=other, number=9009),
        create_token(account=other, name="Strange token")[0],
        open_session(charlie, "10.9.9.9").session,
        phone,
        profile,
        profile.revision,
        deployment,
        server,
        FileCopy.objects.create(server=server, path="Strange.xml"),
        LeftFile.objects.create(account=other, mac=phone.mac, server=server, reason="x", left_at=timezone.now()),
        CallManager.objects.create(account=other, name="Strange manager", kind="sip", host="10.9.9.9", port=5060),
        fetch,
        Firmware.objects.create(account=other, load="SIP42.strange", size=1),
        RequestedFile.objects.create(
            client=phone.mac,
            mac=phone.mac,
            name="strange.xml",
            address="10.9.9.9",
            protocol="http",
            is_missing=True,
            first_at=timezone.now(),
            last_at=timezone.now(),
        ),
        ServiceSession.objects.create(mac=phone.mac, user=charlie, last_used_at=timezone.now()),
        MobilityPolicy.objects.create(account=other, location="Strange place"),
        PersonMobility.objects.create(user=charlie),
        MobilitySession.objects.create(
            account=other,
            phone=phone,
            mac=phone.mac,
            user=charlie,
            person_name="Charlie",
            profile=profile,
            requested_by="charlie",
            channel="x",
        ),
        EnrolmentCode.objects.create(
            account=other, phone=phone, digest="0" * 64, ending="0000", expires_at=timezone.now()
        ),
        EnrolmentRequest.objects.create(account=other, mac="001122334466", address="10.9.9.9", user=charlie),
        PinFailures.objects.create(user=charlie, count=5, last_at=timezone.now()),
        Rollout.objects.create(account=other, name="Strange rollout", requested_by="charlie", channel="x"),
        PhoneGroup.objects.create(account=other, name="Strange phones"),
        Layer.objects.create(account=other, kind="location", name="Strange place"),
        PhoneTemplate.objects.create(account=other, name="Strange template", text="<device/>"),
        KeyLayout.objects.create(account=other, name="Strange keys"),
        Line.objects.create(account=other, extension="9009"),
        SharedFile.objects.create(account=other, path="strange.xml", sha256="0" * 64, size=1),
        queue_mail(
            to=["charlie@other.example"], template="contacts_app/contacts/mail/notices", context={}, account=other
        )[0],
    ]


def url_of(row, page: str = "change") -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{page}", args=[row.pk])


def list_of(model) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def test_every_kind_of_row_is_covered_here(strangers_rows):
    ours = {model for model in admin.site._registry if model._meta.app_label in ("contacts_app", "phones_app")}
    assert ours - {type(row) for row in strangers_rows} == {KeyMacro}


def test_somebody_elses_row_is_not_there(clerk_desk, strangers_rows):
    for row in strangers_rows:
        for page in ("change", "history", "delete"):
            answer = clerk_desk.get(url_of(row, page))
            assert answer.status_code in (404, 403), (row, page)
        assert clerk_desk.get(url_of(row)).status_code == 404, row


def test_no_list_shows_somebody_elses_rows(clerk_desk, strangers_rows):
    for row in strangers_rows:
        found = clerk_desk.get(list_of(type(row))).context["cl"].result_list
        assert row.pk not in [shown.pk for shown in found], row


def test_no_list_shows_them_when_filtered_by_the_strangers_account(clerk_desk, other, strangers_rows):
    page = clerk_desk.get(list_of(Phone), {"account__id__exact": other.pk})
    assert page.context["cl"].result_count == 0
    assert other.name not in page.content.decode()


def test_nothing_of_a_stranger_is_offered_for_choice(clerk_desk, acme, strangers_rows, shared_server, new_profile):
    CallManager.objects.create(account=acme, name="Own manager", kind="sip", host="10.1.1.1", port=5060)
    new_profile("Own profile")
    choices = [(Phone, "account"), (Phone, "file_server"), (Phone, "call_manager"), (Deployment, "profile")]
    for model, field in choices:
        answer = clerk_desk.get(
            reverse("admin:autocomplete"),
            {"app_label": "phones_app", "model_name": model._meta.model_name, "field_name": field, "term": ""},
        )
        offered = [choice["text"] for choice in json.loads(answer.content)["results"]]
        assert len(offered) == 1, (field, offered)
        assert not [text for text in offered if "Strange" in text or "Other" in text], field


def phone_form(account, **fields) -> dict[str, object]:
    return {"mac": "02:00:00:00:00:01", "account": account.pk, "sip_port": 5060, "web_port": 80} | fields


def test_a_clerk_cannot_give_a_phone_to_another_account(clerk_desk, acme, other):
    answer = clerk_desk.post(reverse("admin:phones_app_phone_add"), phone_form(other))
    assert "account" in answer.context["adminform"].form.errors
    assert not Phone.objects.exists()
    assert clerk_desk.post(reverse("admin:phones_app_phone_add"), phone_form(acme)).status_code == 302
    assert Phone.objects.get().account == acme


def test_a_clerk_cannot_take_a_strangers_server_for_a_phone(clerk_desk, acme, strangers_rows):
    server = FileServer.objects.get(name="Strange server")
    answer = clerk_desk.post(reverse("admin:phones_app_phone_add"), phone_form(acme, file_server=server.pk))
    assert "file_server" in answer.context["adminform"].form.errors


def test_a_shared_server_is_seen_and_used_but_not_changed(clerk_desk, shared_server):
    assert shared_server in clerk_desk.get(list_of(FileServer)).context["cl"].result_list
    page = clerk_desk.get(url_of(shared_server))
    assert page.status_code == 200
    assert not page.context["has_change_permission"]
    assert clerk_desk.post(url_of(shared_server), {"name": "Mine"}).status_code == 403
    assert clerk_desk.post(url_of(shared_server, "delete"), {"post": "yes"}).status_code == 403


def test_a_clerks_new_server_must_belong_to_the_account(clerk_desk, acme):
    form = {"name": "New", "protocol": "ftp", "host": "127.0.0.1", "port": 21, "keep_backups": 3, "account": ""}
    assert (
        "account" in clerk_desk.post(reverse("admin:phones_app_fileserver_add"), form).context["adminform"].form.errors
    )
    clerk_desk.post(reverse("admin:phones_app_fileserver_add"), form | {"account": acme.pk})
    assert FileServer.objects.get().account == acme


def test_key_macros_belong_to_the_staff_of_the_portal(clerk_desk, root_desk):
    macro = KeyMacro.objects.create(name="79xx", phone_models="79*", steps="Key:Settings")
    assert not clerk_desk.get(url_of(macro)).context["has_change_permission"]
    assert clerk_desk.get(reverse("admin:phones_app_keymacro_add")).status_code == 403
    assert root_desk.get(url_of(macro)).context["has_change_permission"]


def test_a_strangers_configuration_is_not_there(clerk_desk, strangers_rows):
    phone, template = Phone.objects.get(mac="001122334455"), PhoneTemplate.objects.get(name="Strange template")
    layer, layout = Layer.objects.get(name="Strange place"), KeyLayout.objects.get(name="Strange keys")
    assert clerk_desk.get(url_of(phone, "configuration")).status_code == 404
    assert clerk_desk.post(url_of(phone, "configuration"), {"name": "x", "place": "phone::"}).status_code == 404
    for row in (template, layer, layout):
        assert clerk_desk.get(url_of(row, "roll_out")).status_code == 404
        assert clerk_desk.post(url_of(row), {"_kept": "x"}).status_code in (400, 404)


def test_what_all_accounts_share_tells_nothing_of_the_strangers_that_use_it(clerk_desk, charlie, new_phone):
    shared = PhoneTemplate.objects.create(name="Everybody's", text="<device/>")
    profile = PhoneProfile.objects.create(user=charlie, name="Strange one", source=Source.TEMPLATE, template=shared)
    new_phone("001122334477", account=charlie.account, current_profile=profile, name="Strange phone")
    for page in (url_of(shared), list_of(PhoneTemplate)):
        assert "Strange" not in clerk_desk.get(page).content.decode()
    [row] = clerk_desk.get(list_of(PhoneTemplate)).context["cl"].result_list
    assert row.profiles_counted == 0


@pytest.mark.parametrize("page", ["deploy", "restart"])
def test_a_strangers_phone_cannot_be_deployed_to_or_restarted(clerk_desk, strangers_rows, new_profile, page):
    phone = Phone.objects.get(mac="001122334455")
    asked = {"phones": str(phone.pk), "profile": new_profile().pk, "confirm": "yes"}
    assert clerk_desk.post(reverse(f"admin:phones_app_phone_{page}"), asked).status_code == 404
    assert Deployment.objects.count() == 1


def test_a_strangers_profile_cannot_be_deployed(clerk_desk, new_phone, strangers_rows):
    profile = PhoneProfile.objects.get(name="Strange profile")
    asked = {"phones": str(new_phone().pk), "profile": profile.pk, "revision": profile.revision_id, "confirm": "yes"}
    page = clerk_desk.post(reverse("admin:phones_app_phone_deploy"), asked)
    assert "profile" in page.context["form"].errors
    assert Deployment.objects.count() == 1


def test_a_strangers_deployment_cannot_be_cancelled_or_repeated(clerk_desk, strangers_rows):
    deployment = Deployment.objects.get()
    for page in ("timeline", "cancel", "retry"):
        assert clerk_desk.post(url_of(deployment, page)).status_code == 404


def test_staff_of_the_portal_see_everything(root_desk, strangers_rows):
    for row in strangers_rows:
        assert root_desk.get(url_of(row)).status_code == 200, row
    assert {ApiToken, LoginSession, ProfileRevision} <= {type(row) for row in strangers_rows}
