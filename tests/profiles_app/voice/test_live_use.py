"""The live use of voice profiles: in the admin, as a command, and who sees it; and how long decisions are kept."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from contacts_app.core.work import clock
from profiles_app.voice.models.admission import Admission, VoiceUsage
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.models.rates import RateTable
from tests.admin_people import at_desk, clerk
from tests.commands import run

pytestmark = pytest.mark.django_db
LIVE = "/admin/profiles_app/outboundvoiceprofile/live/"


@pytest.fixture
def used(pbx):
    """Two of two channels, a refused call, and a quarter of the day's money."""
    pbx.limit(channel_limit=2, daily_spend_limit=4)
    pbx.closed(pbx.admitted(rate=1), seconds=60)
    pbx.admitted(rate=0), pbx.admitted(rate=0), pbx.refused()
    return OutboundVoiceProfile.objects.get()


def test_the_live_use_is_a_chart(used, root, stranger):
    unused = stranger.payload("POST", "/rest/profile/outbound_voice", {"name": "Idle"})
    desk = at_desk(root)
    shown = desk.get(LIVE).content.decode()
    for words in ("Calls (123456)", "2 of 2", "1.00 of 4.00", "channel limit", "width: 25.0%", "width: 100.0%"):
        assert words in shown
    assert "Idle" not in shown
    part = desk.get(LIVE, headers={"HX-Request": "true"}).content.decode()
    assert "2 of 2" in part
    assert "<html" not in part
    page = desk.get(reverse("admin:profiles_app_outboundvoiceprofile_change", args=[used.pk])).content.decode()
    assert "Live use" in page
    again = desk.get(f"/admin/profiles_app/outboundvoiceprofile/{used.pk}/live/").content.decode()
    assert "1.00 of 4.00" in again
    idle = OutboundVoiceProfile.objects.get(uuid=unused["uuid"])
    assert "no limit" in desk.get(f"/admin/profiles_app/outboundvoiceprofile/{idle.pk}/live/").content.decode()


def test_the_command_lists_what_is_in_use(used, stranger, other):
    stranger.payload("POST", "/rest/profile/outbound_voice", {"name": "Idle"})
    row = run("voice_usage", "--json").row
    assert (row["channels"], row["channel_limit"], row["calls"], row["seconds"]) == (2, 2, 1, 60)
    assert (float(row["spent"]), row["daily_spend_limit"], row["refused"]) == (1, 4, {"channel-limit": 1})
    assert [row["name"] for row in run("voice_usage", "--all", "--json").rows] == ["Calls", "Idle"]
    assert run("voice_usage", "--account", other.voip_id, "--json").rows == []
    assert "123456" in run("voice_usage").out


def test_a_new_default_rate_table_takes_over(root):
    desk = at_desk(root)
    for name in ("Old", "New"):
        answer = desk.post("/admin/profiles_app/ratetable/add/", {"name": name, "is_default": "on"})
        assert answer.status_code == 302, answer.context["adminform"].form.errors
    assert list(RateTable.objects.filter(is_default=True).values_list("name", flat=True)) == ["New"]


def test_old_decisions_go_and_running_calls_stay(used, later):
    later(days=100)
    Admission.objects.exclude(reason="").update(created_at=clock.now() - timedelta(days=100))
    VoiceUsage.objects.update(day=clock.now() - timedelta(days=100))
    assert Admission.objects.count() == 4
    rows = {row["what"]: row for row in run("prune_history", "--json").rows}
    assert Admission.objects.count() == 2, rows
    assert not Admission.objects.exclude(ended_at=None).exists()
    assert not VoiceUsage.objects.exists()


def test_a_clerk_sees_the_admissions_of_the_account_and_no_price_list(used, acme, other):
    RateTable.objects.create(name="Standard", is_default=True)
    made = Admission.objects.first()
    for account, status in ((acme, 200), (other, 404)):
        desk = at_desk(clerk(account, f"clerk@{account.voip_id}.example"))
        assert desk.get(reverse("admin:profiles_app_admission_change", args=[made.pk])).status_code == status
        assert desk.get(f"/admin/profiles_app/outboundvoiceprofile/{used.pk}/live/").status_code == status
        shown = desk.get(LIVE).content.decode()
        assert ("Calls (123456)" in shown) == (account == acme)
        for model in ("ratetable", "rate"):
            assert desk.get(reverse(f"admin:profiles_app_{model}_changelist")).status_code == 403
    role = Group.objects.get(name="Tenant administrator")
    named = set(role.permissions.values_list("codename", flat=True))
    assert {"view_admission", "add_admission"} <= named
    assert not {"view_rate", "view_ratetable"} & named


def test_customers_do_not_change_what_the_operator_says_of_a_profile(used, acme):
    desk = at_desk(clerk(acme))
    page = reverse("admin:profiles_app_outboundvoiceprofile_change", args=[used.pk])
    fields = desk.get(page).context["adminform"].form.fields
    assert "channel_limit" in fields
    assert not {"rate_table", "customer_limits", "customer_recording"} & fields.keys()
