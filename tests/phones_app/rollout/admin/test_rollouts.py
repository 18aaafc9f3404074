"""Rollouts in the web admin: chosen, shown, confirmed, watched and stopped; nobody else's."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone

from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.rollout import api, planned_files, planning
from phones_app.rollout import rollout as rollouts
from phones_app.rollout.admin import pages
from phones_app.rollout.admin import rollout as rollout_pages
from phones_app.rollout.models import Rollout
from phones_app.rollout.progress import progress_of
from profiles_app.phone.services import create_profile, update_profile
from tests.admin_people import at_desk, clerk
from tests.commands import run
from tests.phones_app.rest import of_token
from tests.phones_app.site import ACTOR, sip_file

ADD = reverse("admin:phones_app_rollout_add")
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("shared_server", "no_inline_work")]
PACE = {"canary_size": "1", "wave_pause": "0", "wave_jitter": "0", "abort_count": "2", "unconfirmed_fails": "on"}


@pytest.fixture
def fleet(new_phone):
    return [new_phone(f"AABBCCDDEE0{number}") for number in range(1, 4)]


def hidden(answer) -> dict[str, object]:
    """What the page that shows the plan sends when somebody says yes."""
    return dict(answer.context["kept"]) | {"confirm": "yes"}


def url(name, rollout, *more):
    return reverse(f"admin:phones_app_rollout_{name}", args=[rollout.pk, *more])


def test_the_plan_counts_the_phones_of_all_models(clerk_desk, new_phone, new_profile):
    models = ["7821", "7841", "7861", "8811", "8841", "8845", "8851"]
    macs = [new_phone(f"AABBCCDDEE1{place}", model=model).mac for place, model in enumerate(models)]
    plan = clerk_desk.post(ADD, PACE | {"macs": ",".join(macs), "profile": new_profile(software_type="SIP").pk})
    assert [model for model in models if f"1 × {model}" not in plan.text] == []


def test_a_selection_is_shown_and_then_rolled_out(clerk_desk, fleet, new_profile, new_phone):
    profile = new_profile(software_type="SIP")
    odd = new_phone("AABBCCDDEE09", software_type="SCCP")
    chosen = clerk_desk.post(
        reverse("admin:phones_app_phone_changelist"),
        {"action": "roll_out_selected", "select_across": "1", "_selected_action": [fleet[0].pk]},
    )
    macs = chosen.context["form"]["macs"].value()
    assert macs.count(",") == 3
    assert "4 phones" in chosen.content.decode()
    assert fleet[0].mac_with_colons in chosen.content.decode()
    plan = clerk_desk.post(
        ADD, PACE | {"macs": macs, "profile": profile.pk, "window_start": "22:00", "window_end": "04:00"}
    )
    page = plan.content.decode()
    for expected in (
        "Roll out to 3 phones",
        "2 waves: 1, 2 phones",
        "software-mismatch",
        odd.mac_with_colons,
        "22:00 to 04:00",
        f"?phones={fleet[0].pk}&amp;profile={profile.pk}",
    ):
        assert expected in page, expected
    assert not Rollout.objects.exists()
    begun = clerk_desk.post(ADD, hidden(plan))
    rollout = Rollout.objects.get()
    assert begun.url == url("change", rollout)
    assert (rollout.total, rollout.canary_size, rollout.abort_count, rollout.refused_total) == (3, 1, 2, 1)
    assert rollout.unconfirmed_fails
    assert "3" in clerk_desk.get(begun.url).content.decode()


def test_phones_for_which_there_is_no_time_are_looked_at_when_it_begins(clerk_desk, fleet, new_profile, monkeypatch):
    monkeypatch.setattr(planned_files, "CHUNK", 2)
    for module in (pages, api):
        monkeypatch.setattr(module, "MOST_SECONDS", 0)
    asked = {"profile": (profile := new_profile()).pk, "everything": "on"}
    plan = clerk_desk.post(ADD, PACE | asked)
    for expected in (
        "Only the first 2 phones were looked at",
        "1 more will be looked at",
        "Roll out to up to 3 phones",
    ):
        assert expected in plan.text
    wanted = {"profile_uuid": str(profile.uuid), "all": True, "dry_run": True}
    told = of_token(account=fleet[0].account).post("rollouts", wanted).json()["data"]["plan"]
    assert (told["total"], told["unseen"], told["waves"]) == (2, 1, [2])
    ran = run("rollout", str(profile.uuid), "--all", "--dry-run", "--json")
    assert ran.row["total"] == 3, "who asks in a terminal waits for all of them"
    Phone.objects.filter(pk__in=[phone.pk for phone in fleet[:2]]).update(is_active=False)
    plan = clerk_desk.post(ADD, PACE | asked)
    assert plan.context["plan"].total == 0, "of those that were looked at"
    assert clerk_desk.post(ADD, hidden(plan)).status_code == 302
    assert Rollout.objects.get().total == 1


def test_phones_by_list_by_group_or_all(clerk_desk, acme, fleet, new_profile):
    asked = PACE | {"profile": new_profile().pk}
    listed = SimpleUploadedFile("phones.csv", b"mac\naabb.ccdd.ee01\n00:00:00:00:00:99\n")
    plan = clerk_desk.post(ADD, asked | {"file": listed})
    assert (plan.context["plan"].total, plan.context["plan"].refused_total) == (1, 1)
    assert clerk_desk.post(ADD, hidden(plan)).status_code == 302
    assert Rollout.objects.get().refused_total == 1
    group = PhoneGroup.objects.create(account=acme, name="Pilot")
    group.phones.set(fleet[1:])
    assert clerk_desk.post(ADD, asked | {"group": group.pk}).context["plan"].total == 2
    assert clerk_desk.post(ADD, asked | {"everything": "on"}).context["plan"].total == 3
    bad = SimpleUploadedFile("phones.csv", b"mac\nnonsense\n")
    assert "row 2" in clerk_desk.post(ADD, asked | {"file": bad}).content.decode()
    for wrong in ({}, {"everything": "on", "group": group.pk}):
        assert clerk_desk.post(ADD, asked | wrong).context["form"].errors


def test_a_profile_changed_meanwhile_is_shown_again(clerk_desk, fleet, new_profile):
    profile = new_profile()
    plan = clerk_desk.post(ADD, PACE | {"profile": profile.pk, "everything": "on"})
    update_profile(profile, actor=ACTOR, content=profile.content.replace(b"1001", b"1002"))
    again = clerk_desk.post(ADD, hidden(plan))
    assert "was changed meanwhile" in again.content.decode()
    assert not Rollout.objects.exists()
    assert clerk_desk.post(ADD, hidden(again)).status_code == 302


@pytest.fixture
def rollout(clerk_desk, fleet, new_profile):
    plan = clerk_desk.post(ADD, PACE | {"profile": new_profile().pk, "everything": "on"})
    clerk_desk.post(ADD, hidden(plan))
    return Rollout.objects.get()


def test_it_is_watched_and_stopped(clerk_desk, rollout):
    rollouts.advance_all()
    for change, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        clerk_desk.get(url("now", rollout, change))
        clerk_desk.post(url("now", rollout, change), {"_reason": f"Time to {change}"})
        rollout.refresh_from_db()
        assert rollout.state == state
        row = rollout.history.first()
        assert row.history_changes["state"][1] == state
        assert (row.history_actor, row.history_channel) == ("clerk@acme.example", "admin")
        assert (row.history_change_reason, bool(row.history_request_id)) == (f"Time to {change}", True)
    assert rollout.history.count() == 4, "looking changes nothing"
    Deployment.objects.filter(in_rollout__wave=1).update(state="failed", error="No such line.", error_code="sip-404")
    page = clerk_desk.get(url("progress", rollout) + "?part=failed").content.decode()
    assert "No such line." in page
    assert "hx-get" not in page
    same = clerk_desk.get(url("progress", rollout) + "?code=sip-404")
    assert [row.error_code for row in same.context["rows"]] == ["sip-404"]
    everything = clerk_desk.get(url("progress", rollout) + "?code=nonsense&part=nonsense")
    assert len(everything.context["rows"]) == rollout.total
    assert "after 2 failed phones" in page
    again = clerk_desk.post(url("retry", rollout))
    assert again.url == url("change", Rollout.objects.get(retry_of=rollout))


def test_after_an_abort_the_rest_and_the_failed_are_asked_about_apart(clerk_desk, rollout):
    rollouts.advance_all()
    failed = Deployment.objects.filter(in_rollout__wave=1)
    failed.update(state="failed", error="No such line.", error_code="sip-404", finished_at=timezone.now())
    Rollout.objects.update(abort_count=1)
    rollouts.advance_all()
    rollout.refresh_from_db()
    assert (rollout.state, rollout.reason) == ("aborted", "1 phone failed; 1 ends the rollout.")
    page = clerk_desk.get(url("progress", rollout)).content.decode()
    assert f"1 of {rollout.total}</strong> phones done" in page
    assert f"{rollout.total - 1}</strong> not started" in page
    for name, number, word in (("continue", rollout.total - 1, "were not started"), ("retry", 1, "failed")):
        assert url(name, rollout) in page
        question = clerk_desk.get(url(name, rollout)).content.decode()
        assert f"({number})" in question
        assert word in question
        assert Rollout.objects.filter(retry_of=rollout).count() == (name == "retry")
        assert clerk_desk.post(url(name, rollout)).status_code == 302
        assert Rollout.objects.filter(retry_of=rollout).latest("pk").total == number


def test_a_rollout_that_is_being_planned_is_cancelled_before_anything_is_sent(
    clerk_desk, fleet, new_profile, monkeypatch
):
    monkeypatch.setattr(planning, "AT_ONCE", 1)
    plan = clerk_desk.post(ADD, PACE | {"profile": new_profile().pk, "everything": "on"})
    clerk_desk.post(ADD, hidden(plan))
    rollout = Rollout.objects.get()
    assert rollout.state == "planning"
    assert "nothing was sent to any phone yet" in clerk_desk.get(url("now", rollout, "cancel")).content.decode()
    clerk_desk.post(url("now", rollout, "cancel"))
    rollout.refresh_from_db()
    assert rollout.state == "cancelled"


def test_a_rollout_that_is_over_is_watched_no_more_though_an_account_of_it_was_deleted(
    root_desk, fleet, new_phone, other, root
):
    new_phone("AABBCCDDEE99", account=other)
    Phone.objects.update(
        current_profile=create_profile(actor=ACTOR, user=root, name="All", content=sip_file().encode())
    )
    plan = root_desk.post(ADD, PACE | {"everything": "on"})
    root_desk.post(ADD, hidden(plan))
    rollout = Rollout.objects.get()
    root_desk.post(url("now", rollout, "cancel"))
    other.delete()
    assert "hx-get" not in root_desk.get(url("progress", rollout)).content.decode()
    assert run("rollout", "--watch", rollout.uuid, "--json").row["cancelled"] == len(fleet)


def test_the_page_says_that_it_shows_the_first_phones_of_very_many(clerk_desk, rollout, monkeypatch):
    Deployment.objects.update(state="failed", error="No.", error_code="no", finished_at=timezone.now())
    page = url("progress", rollout) + "?part=failed"
    assert "are shown" not in clerk_desk.get(page).content.decode()
    monkeypatch.setattr(rollout_pages, "DEEPEST", 2)
    answer = clerk_desk.get(page)
    assert "The first 2 are shown." in answer.content.decode()
    assert len(answer.context["rows"]) == 2


def test_time_left_counts_the_pauses_to_come(rollout):
    rollouts.advance_all()
    began = timezone.now() - timedelta(seconds=10)
    done = Deployment.objects.filter(in_rollout__wave=1)
    done.update(state="confirmed", started_at=began, finished_at=timezone.now())
    Rollout.objects.update(wave_pause=600, waves=2, wave=1)
    rollout.refresh_from_db()
    assert 600 <= progress_of(rollout).remaining <= 700


def test_a_line_that_several_phones_would_share_is_told_before(clerk_desk, fleet, new_profile):
    profile = new_profile(software_type="SIP")
    plan = clerk_desk.post(ADD, PACE | {"everything": "on", "profile": profile.pk})
    assert "Line 1001 would be on 3 phones" in plan.content.decode()
    preview = reverse("admin:phones_app_phone_deploy")
    keys = ",".join(str(phone.pk) for phone in fleet)
    page = clerk_desk.post(preview, {"phones": keys, "profile": profile.pk}).content.decode()
    assert "Line 1001 would be on 3 phones" in page


def test_others_neither_see_nor_touch_it(rollout, other, acme):
    stranger = at_desk(clerk(other, "clerk@other.example"))
    for page in (url("change", rollout), url("progress", rollout)):
        assert stranger.get(page).status_code == 404
    assert stranger.post(url("now", rollout, "cancel")).status_code == 404
    listed = stranger.get(reverse("admin:phones_app_rollout_changelist")).content.decode()
    assert str(rollout) not in listed
    mac = rollout.deployments.first().mac
    plan = stranger.post(ADD, PACE | {"macs": mac}).context["plan"]
    assert (plan.total, plan.refused[0]["code"]) == (0, "unknown-phone")
    reader = at_desk(clerk(acme, "reader@acme.example", without="add_deployment"))
    assert reader.get(url("change", rollout)).status_code == 200
    assert reader.post(url("now", rollout, "cancel")).status_code == 403
    assert reader.get(ADD).status_code == 403


def test_a_group_is_a_list_of_macs(clerk_desk, acme, fleet, new_phone, other):
    add = reverse("admin:phones_app_phonegroup_add")
    asked = {"name": "Pilot", "account": acme.pk}
    foreign = new_phone("AABBCCDDEEFF", account=other)
    refused = clerk_desk.post(add, asked | {"members": f"{fleet[0].mac}\n{foreign.mac}"})
    assert foreign.mac_with_colons in refused.content.decode()
    clerk_desk.post(add, asked | {"members": f"{fleet[0].mac}\n{fleet[1].mac}"})
    group = PhoneGroup.objects.get()
    assert set(group.phones.all()) == set(fleet[:2])
    change = reverse("admin:phones_app_phonegroup_change", args=[group.pk])
    assert fleet[1].mac_with_colons in clerk_desk.get(change).content.decode()
    clerk_desk.post(change, asked | {"members": fleet[2].mac})
    assert list(group.phones.all()) == [fleet[2]]


def test_a_selection_becomes_a_group(clerk_desk, root_desk, acme, fleet, new_phone, other):
    def save(desk, phones):
        chosen = {"action": "group_selected", "_selected_action": [phone.pk for phone in phones]}
        return desk.post(reverse("admin:phones_app_phone_changelist"), chosen)

    saved = save(clerk_desk, fleet[:2])
    group = PhoneGroup.objects.get()
    assert saved.url == reverse("admin:phones_app_phonegroup_change", args=[group.pk])
    assert (group.account, set(group.phones.all())) == (acme, set(fleet[:2]))
    assert fleet[0].mac_with_colons in clerk_desk.get(saved.url).content.decode()
    foreign = new_phone("AABBCCDDEEFF", account=other)
    save(root_desk, [fleet[0], foreign])
    save(at_desk(clerk(acme, "reader@acme.example", without="add_phonegroup")), fleet)
    assert PhoneGroup.objects.count() == 1
