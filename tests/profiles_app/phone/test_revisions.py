"""`/phone-profiles/{uuid}/revisions`: list, read, compare, restore; nothing of them ever changes."""

import pytest

from profiles_app.phone.models import ProfileRevision
from tests.phones_app.rest import of
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
LABELS = ("Desk", "Lobby", "Hall")


@pytest.fixture
def api(alice):
    return of(alice)


@pytest.fixture
def profile(api, alice) -> str:
    """A profile with three revisions; the last one has another password than the second."""
    made = api.create_profile(alice, cnf_xml=sip_file(label=LABELS[0]))
    url = f"phone-profiles/{made['uuid']}"
    api.put(url, {"cnf_xml": sip_file(label=LABELS[1])})
    api.put(url, {"cnf_xml": sip_file(label=LABELS[1]).replace("very-secret", "other-secret")})
    return url


def test_the_list_says_who_made_each_and_holds_no_file(api, profile):
    answer = api.get(f"{profile}/revisions", {"limit": 2}).json()
    assert [row["number"] for row in answer["data"]] == [3, 2]
    assert answer["metadata"] == {"total": 3, "limit": 2, "offset": 0}
    assert {row["author"] for row in answer["data"]} == {"alice@acme.example"}
    assert "secret" not in str(answer)


def test_a_revision_is_read_character_for_character(api, profile):
    assert api.get(f"{profile}/revisions/1").json()["data"]["cnf_xml"] == sip_file(label=LABELS[0])


def test_any_two_are_compared_with_their_passwords_masked(api, profile):
    compared = api.get(f"{profile}/revisions/compare", {"from": 1, "to": 3}).json()["data"]
    assert (compared["old"]["number"], compared["new"]["number"], compared["same"]) == (1, 3, False)
    assert "-" in compared["diff"]
    assert "Desk" in compared["diff"]
    assert "Lobby" in compared["diff"]
    assert "secret" not in compared["diff"]


def test_a_changed_password_is_told_and_not_shown(api, profile):
    compared = api.get(f"{profile}/revisions/compare", {"from": 2, "to": 3}).json()["data"]
    assert "+    <authName>1001</authName><authPassword>******** (changed)</authPassword>" in compared["diff"]
    assert "secret" not in compared["diff"]
    assert api.get(f"{profile}/revisions/compare", {"from": 2, "to": 2}).json()["data"]["same"] is True


def test_restoring_makes_a_new_revision_and_changes_none(api, profile):
    before = list(ProfileRevision.objects.order_by("number").values())
    answer = api.post(f"{profile}/revisions/1/restore", {"reason": "The lobby is closed"})
    assert answer.status_code == 201, answer.content
    assert answer.json()["data"]["cnf_xml"] == sip_file(label=LABELS[0])
    latest = ProfileRevision.objects.order_by("number").last()
    assert (latest.number, latest.reason) == (4, "Restored revision 1: The lobby is closed")
    assert (latest.author, latest.channel) == ("alice@acme.example", "rest")
    assert list(ProfileRevision.objects.order_by("number").values())[:3] == before


def test_restoring_stands_in_the_history_of_the_profile(api, profile):
    api.post(f"{profile}/revisions/1/restore")
    row = ProfileRevision.objects.first().profile.history.first()
    assert row.history_changes == {"revision": ["revision 3", "revision 4"]}
    assert row.history_change_reason == "Restored revision 1"


def test_what_is_there_already_is_not_restored(api, profile):
    answer = api.post(f"{profile}/revisions/3/restore")
    assert (answer.status_code, answer.json()["message"]) == (
        409, "The profile says what revision 3 says already.",
    )  # fmt: skip
    assert ProfileRevision.objects.count() == 3


def test_a_file_that_todays_checks_refuse_is_not_restored(api, profile):
    ProfileRevision._base_manager.filter(number=1).update(content=b"<device>")
    answer = api.post(f"{profile}/revisions/1/restore")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "cnf_xml"


@pytest.mark.parametrize("number", ["0", "99", "x", "²", "9" * 30, "-1"])
def test_a_revision_that_is_none_is_not_found(api, profile, number):
    for answer in (api.get(f"{profile}/revisions/{number}"), api.post(f"{profile}/revisions/{number}/restore")):
        assert answer.status_code in (400, 404)
        assert answer.json()["success"] is False


@pytest.mark.parametrize("query", [{}, {"from": 1}, {"from": "x", "to": 2}, {"from": 1, "to": "9" * 30}])
def test_a_comparison_of_nothing_says_what_is_missing(api, profile, query):
    answer = api.get(f"{profile}/revisions/compare", query)
    assert answer.status_code == 400
    assert {error["field"] for error in answer.json()["errors"]} <= {"from", "to"}


def test_colleagues_and_strangers_restore_nothing(profile, bob, charlie):
    for path, method in (("/revisions", "get"), ("/revisions/1", "get"), ("/revisions/1/restore", "post")):
        assert getattr(of(charlie), method)(profile + path).status_code == 404
        assert getattr(of(bob), method)(profile + path).status_code == 403
    assert of(charlie).get(f"{profile}/revisions/compare", {"from": 1, "to": 2}).status_code == 404
    assert ProfileRevision.objects.count() == 3


def test_revisions_are_only_ever_added(profile):
    revision = ProfileRevision.objects.first()
    rows = ProfileRevision.objects.all()
    for change in (
        revision.save,
        revision.delete,
        rows.delete,
        lambda: rows.update(reason="mine"),
        lambda: ProfileRevision.objects.bulk_update([revision], ["reason"]),
        lambda: revision.profile.revisions.all().delete(),
    ):
        with pytest.raises(TypeError):
            change()
    assert ProfileRevision.objects.count() == 3
