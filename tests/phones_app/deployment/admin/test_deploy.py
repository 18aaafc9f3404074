"""From choosing a profile to the deployment: nothing happens before the last yes, and then exactly what was shown."""

from datetime import UTC, datetime

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from contacts_app.core.actor import system
from phones_app.deployment.models import Deployment
from phones_app.deployment.request import deploy
from phones_app.servers.models import CallManager, KeyMacro
from profiles_app.phone.services import update_profile
from tests.admin_people import at_desk, clerk
from tests.phones_app.site import sccp_file, sip_file

LIST = reverse("admin:phones_app_phone_changelist")
DEPLOY = reverse("admin:phones_app_phone_deploy")
RESTART = reverse("admin:phones_app_phone_restart")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shared_server")]


def asked(profile, *phones, **more: object) -> dict[str, object]:
    return {"phones": ",".join(str(phone.pk) for phone in phones), "profile": profile.pk} | more


def confirmed(profile, *phones) -> dict[str, object]:
    return asked(profile, *phones, revision=profile.revision_id, confirm="yes")


def test_the_actions_of_a_row_lead_to_the_pages_that_ask(clerk_desk, new_phone):
    phone = new_phone()
    for action, page in (("deploy_one", DEPLOY), ("restart_one", RESTART)):
        answer = clerk_desk.get(reverse(f"admin:phones_app_phone_{action}", args=[phone.pk]))
        assert answer.url == f"{page}?phones={phone.pk}"
    assert clerk_desk.get(f"{DEPLOY}?phones={phone.pk}").context["form"].fields["profile"]
    assert not Deployment.objects.exists()


def test_the_preview_says_what_would_happen_and_does_nothing(clerk_desk, new_phone, new_profile):
    profile = new_profile(content=sip_file().replace("<webAccess>0", "<webAccess>1"))
    phone = new_phone(phone_ip="10.0.0.7")
    answer = clerk_desk.post(DEPLOY, asked(profile, phone))
    page = answer.content.decode()
    for expected in (
        "SEPAABBCCDDEE01.cnf.xml", "Shared", "SIP NOTIFY to 10.0.0.7:5060", "web-access-off",
        "&lt;authPassword&gt;********", 'id="line-1"',
    ):  # fmt: skip
        assert expected in page, expected
    assert not Deployment.objects.exists()


def test_a_link_alone_never_deploys_or_restarts(clerk_desk, new_phone, new_profile):
    phone, profile = new_phone(), new_profile()
    assert clerk_desk.get(DEPLOY, confirmed(profile, phone)).status_code == 200
    assert clerk_desk.get(RESTART, {"phones": str(phone.pk), "confirm": "yes"}).status_code == 200
    assert not Deployment.objects.exists()


def test_a_yes_deploys_and_leads_to_the_deployment(clerk_desk, acme_clerk, new_phone, new_profile):
    phone, profile = new_phone(), new_profile()
    answer = clerk_desk.post(DEPLOY, confirmed(profile, phone))
    deployment = Deployment.objects.get()
    assert answer.url == reverse("admin:phones_app_deployment_change", args=[deployment.pk])
    assert (deployment.phone, deployment.revision) == (phone, profile.revision)
    assert (deployment.requested_by, deployment.user, deployment.channel) == (acme_clerk.email, acme_clerk, "admin")


def test_a_selection_is_deployed_to_in_one_go_and_misfits_are_named(clerk_desk, new_phone, new_profile):
    profile = new_profile(compatible_models=["8845"])
    fitting = [new_phone("AABBCCDDEE01"), new_phone("AABBCCDDEE02")]
    other_model, off = new_phone("AABBCCDDEE03", model="7962"), new_phone("AABBCCDDEE04", is_active=False)
    phones = [*fitting, other_model, off]
    chooser = clerk_desk.post(LIST, {"action": "deploy_selected", "_selected_action": [phone.pk for phone in phones]})
    assert chooser.context["keys"] == ",".join(str(phone.pk) for phone in phones)
    preview = clerk_desk.post(DEPLOY, {"phones": chooser.context["keys"], "profile": profile.pk})
    page = preview.content.decode()
    assert "the phone is a 7962" in page
    assert "is inactive" in page
    assert "Deploy to 2 phones" in page
    answer = clerk_desk.post(DEPLOY, confirmed(profile, *phones))
    assert answer.url == f"{reverse('admin:phones_app_deployment_changelist')}?profile__id__exact={profile.pk}"
    assert {deployment.phone for deployment in Deployment.objects.all()} == set(fitting)
    told = " ".join(str(message) for message in get_messages(answer.wsgi_request))
    assert "2 phones are being deployed" in told
    assert "AA:BB:CC:DD:EE:03" in told
    listed = clerk_desk.get(answer.url).context["cl"].result_list
    assert len(listed) == 2


def test_a_profile_that_changed_since_the_preview_is_shown_again(clerk_desk, new_phone, new_profile):
    phone, profile = new_phone(), new_profile()
    yes = confirmed(profile, phone)
    update_profile(profile, actor=system("test"), content=sip_file(label="Lobby").encode())
    answer = clerk_desk.post(DEPLOY, yes)
    assert "was changed meanwhile" in answer.content.decode()
    assert not Deployment.objects.exists()


@pytest.mark.parametrize(
    ("manager", "software", "way"),
    [
        ("ami", "SIP", "NOTIFY through PBX (Asterisk, PJSIP)"),
        ("sip", "SIP", "SIP NOTIFY to PBX"),
        ("ami", "SCCP", "SCCPDeviceRestart through PBX"),
        (None, "SCCP", "Key presses “79xx reset”"),
    ],
)
def test_the_preview_names_the_way_of_the_restart(clerk_desk, acme, new_phone, new_profile, manager, software, way):
    KeyMacro.objects.create(name="79xx reset", phone_models="79*", steps="Key:Settings", priority=0)
    pbx = manager and CallManager.objects.create(account=acme, name="PBX", kind=manager, host="127.0.0.1", port=5060)
    phone = new_phone(model="7962", software_type=software, call_manager=pbx, phone_ip="10.0.0.7")
    profile = new_profile(content=sccp_file() if software == "SCCP" else sip_file())
    assert way in clerk_desk.post(DEPLOY, asked(profile, phone)).content.decode()


def test_a_restart_that_cannot_work_is_foretold(clerk_desk, new_phone):
    page = clerk_desk.get(RESTART, {"phones": str(new_phone(phone_ip=None).pk)}).content.decode()
    assert "IP address is not known" in page


def test_phones_are_restarted_after_a_yes(clerk_desk, new_phone):
    phones = [new_phone("AABBCCDDEE01"), new_phone("AABBCCDDEE02")]
    keys = ",".join(str(phone.pk) for phone in phones)
    preview = clerk_desk.post(LIST, {"action": "restart_selected", "_selected_action": keys.split(",")})
    assert "Restart 2 phones" in preview.content.decode()
    answer = clerk_desk.post(RESTART, {"phones": keys, "confirm": "yes"})
    assert answer.url.endswith("?kind__exact=restart")
    assert set(Deployment.objects.values_list("kind", flat=True)) == {"restart"}
    assert len(clerk_desk.get(answer.url).context["cl"].result_list) == 2


@pytest.mark.parametrize("page", [RESTART, DEPLOY])
def test_how_many_queued_deployments_would_be_superseded_is_told_before(
    clerk_desk, new_phone, new_profile, no_inline_work, page
):
    profile, phones = new_profile(), [new_phone(f"AABBCCDDEE0{number}") for number in (1, 2, 3)]

    def preview() -> str:
        return clerk_desk.post(page, asked(profile, *phones)).content.decode()

    text = "a queued deployment, as in a later wave of a rollout, which this supersedes."
    assert text not in preview()
    for phone, who in zip(phones, ("1 phone has", "2 phones have"), strict=False):
        deploy(phone=phone, profile=profile, actor=system("test"))
        assert f"{who} {text}" in preview()


def test_who_may_not_deploy_is_offered_nothing_and_refused(acme, new_phone, new_profile):
    desk = at_desk(clerk(acme, "reader@acme.example", without="add_deployment"))
    phone, profile = new_phone(), new_profile()
    page = desk.get(LIST).content.decode()
    assert "deploy_selected" not in page
    for url in (DEPLOY, RESTART):
        assert desk.post(url, confirmed(profile, phone)).status_code == 403
    deployment = deploy(phone=phone, profile=profile, actor=system("test"))
    assert desk.post(reverse("admin:phones_app_deployment_cancel", args=[deployment.pk])).status_code == 403


def test_a_waiting_deployment_is_cancelled_and_an_ended_one_repeated(clerk_desk, new_phone, new_profile):
    deployment = deploy(phone=new_phone(), profile=new_profile(), actor=system("test"))
    cancel, retry = (
        reverse(f"admin:phones_app_deployment_{name}", args=[deployment.pk]) for name in ("cancel", "retry")
    )
    clerk_desk.get(cancel)
    deployment.refresh_from_db()
    assert deployment.is_open, "a link alone cancels nothing"
    clerk_desk.post(cancel)
    deployment.refresh_from_db()
    assert deployment.state == "cancelled"
    answer = clerk_desk.post(cancel, follow=True)
    assert "has already ended" in answer.content.decode()
    again = clerk_desk.post(retry)
    repeated = Deployment.objects.exclude(pk=deployment.pk).get()
    assert again.url == reverse("admin:phones_app_deployment_change", args=[repeated.pk])
    assert (repeated.retry_of, repeated.revision) == (deployment, deployment.revision)


def test_the_timeline_asks_for_itself_only_while_the_deployment_is_open(clerk_desk, new_phone, new_profile):
    deployment = deploy(phone=new_phone(), profile=new_profile(), actor=system("test"))
    url = reverse("admin:phones_app_deployment_timeline", args=[deployment.pk])
    assert f'hx-get="{url}"' in clerk_desk.get(url).content.decode()
    Deployment.objects.update(
        state="failed", finished_at=timezone.now(), error="530 Login incorrect", error_code="login"
    )
    page = clerk_desk.get(url).content.decode()
    assert "hx-get" not in page
    assert "530 Login incorrect" in page
    assert "What to do: correct user and password" in page


def test_deployments_are_neither_added_nor_changed_nor_deleted_by_hand(root_desk, new_phone, new_profile):
    deployment = deploy(phone=new_phone(), profile=new_profile(), actor=system("test"))
    assert root_desk.get(reverse("admin:phones_app_deployment_add")).status_code == 403
    for page in ("change", "delete"):
        url = reverse(f"admin:phones_app_deployment_{page}", args=[deployment.pk])
        assert root_desk.post(url, {"post": "yes"}).status_code == 403
    assert Deployment.objects.exists()


def test_a_phone_can_be_deleted_and_its_deployments_stay(root_desk, new_phone, new_profile):
    phone = new_phone()
    deploy(phone=phone, profile=new_profile(), actor=system("test"))
    assert root_desk.post(reverse("admin:phones_app_phone_delete", args=[phone.pk]), {"post": "yes"}).status_code == 302
    deployment = Deployment.objects.get()
    assert deployment.phone is None
    assert root_desk.get(reverse("admin:phones_app_deployment_change", args=[deployment.pk])).status_code == 200


def test_deployments_are_filtered_by_whole_days(root_desk, new_phone, new_profile):
    deploy(phone=new_phone(), profile=new_profile(), actor=system("test"))
    Deployment.objects.update(created_at=datetime(2026, 3, 14, 23, 59, tzinfo=UTC))
    url = reverse("admin:phones_app_deployment_changelist")
    for first, last, found in (
        ("2026-03-14", "2026-03-14", 1), ("2026-03-13", "", 1), ("2026-03-15", "", 0), ("", "2026-03-13", 0),
        ("x", "y", 1),
    ):  # fmt: skip
        answer = root_desk.get(url, {"created_at_from": first, "created_at_to": last})
        assert answer.context["cl"].result_count == found, (first, last)


def test_a_preview_for_more_phones_takes_no_more_queries(clerk_desk, new_phone, new_profile):
    profile = new_profile()
    phones = [new_phone(f"0200000{number:05X}", phone_ip="10.0.0.7") for number in range(40)]

    def queries(some) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert clerk_desk.post(DEPLOY, asked(profile, *some)).status_code == 200
        return len(captured)

    queries(phones[:1])
    assert queries(phones[:5]) == queries(phones)


def test_an_account_is_deleted_with_all_that_belongs_to_it(root_desk, acme, alice, new_phone, new_profile):
    deploy(phone=new_phone(), profile=new_profile(), actor=system("test"))
    url = reverse("admin:contacts_app_account_delete", args=[acme.pk])
    assert not root_desk.get(url).context["perms_lacking"]
    assert root_desk.post(url, {"post": "yes"}).status_code == 302
    assert not Deployment.objects.exists()
