"""Beyond the numbered cases: what members take, whose profiles are whose, and bodies that nobody should send."""

import json

import pytest
from django.core.checks import run_checks
from django.db import connection
from django.db.models import RestrictedError
from django.test.utils import CaptureQueriesContext

from contacts_app.accounts.models import AccountGroup
from contacts_app.accounts.services import ensure_extension
from contacts_app.core.errors import Refusal
from contacts_app.people.login import open_session
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.services import save_myaccount_profile
from tests.profiles_app.myaccount.conftest import PROFILES, Key, key_of, refused

pytestmark = pytest.mark.django_db


def test_a_typo_in_a_member_is_refused(staff):
    error = refused(staff.post({"name": "X", "myCallEnabled": True}), 400, "validation")
    assert list(error["fields"]) == ["myCallEnabled"]
    refused(staff.patch(staff.create(), {"naem": "X"}), 400, "validation")


def test_presets_come_back_in_the_spelling_of_their_list(staff):
    profile = staff.create(
        availability="historic", myNumbers=[" view numbers ", "VIEW NUMBERS"], myCampaigns="view reports"
    )
    assert profile["availability"] == "Historic"
    assert profile["myNumbers"] == ["View Numbers"]
    assert profile["myCampaigns"] == ["View Reports"]
    assert staff.change(profile, myNumbers=None, myCampaigns="")["myNumbers"] == []


def test_a_customer_is_an_account_or_nobody(staff, acme):
    for sent in (str(acme.voip_id), acme.voip_id):
        profile = staff.create(f"For {sent!r}", customerID=sent)
        assert profile["customerID"] == str(acme.voip_id)
    assert staff.change(profile, customerID="")["customerID"] is None
    for unknown in ("12", "abc", True, [], {}, "9" * 40, 10**30, 1.5):
        assert list(refused(staff.post({"name": "X", "customerID": unknown}), 400)["fields"]) == ["customerID"]


TOO_MANY = [str(number) for number in range(201)]


@pytest.mark.parametrize("groups", [[""], [7], [None], {"a": 1}, 7, ["x" * 256], ["\x00"], TOO_MANY])
def test_group_names_are_names(staff, groups):
    refused(staff.post({"name": "X", "customerGroups": groups}), 400, "validation")
    assert not MyAccountProfile.objects.exists()


def test_a_group_is_known_by_its_name_in_any_case(staff):
    AccountGroup.objects.create(name="Gold")
    profile = staff.create(customerGroups=["GOLD", "Silver", "gold"])
    assert profile["customerGroups"] == ["Gold", "Silver"]
    assert AccountGroup.objects.count() == 2


def test_a_group_that_a_profile_names_stays(staff):
    """A profile that lost its only group would be for everybody."""
    staff.create(customerGroups=["Gold"])
    with pytest.raises(RestrictedError):
        AccountGroup.objects.get().delete()


def test_the_preset_lists_are_a_file(staff, settings, tmp_path):
    kept = staff.create(myNumbers=["View Numbers"])
    settings.MYACCOUNT_PRESETS_FILE = str(tmp_path / "presets.toml")
    (tmp_path / "presets.toml").write_text('myAccountFlags = ["A"]\nmyNumbers = ["B"]\nmyCampaigns = []\n')
    for path in ("presetValues", "presetValues/"):
        answer = staff.get(path)
        assert answer.status_code == 200
        assert answer.json() == {
            "availability": ["Headline", "Standard", "Historic"],
            "myAccountFlags": ["A"],
            "myNumbers": ["B"],
            "myCampaigns": [],
        }
    refused(staff.post({"name": "X", "myNumbers": ["View Numbers"]}), 400, "validation")
    # What a profile has already stays good, so that it can be read, changed and written back.
    assert staff.change(kept, myNumbers=["View Numbers", "b"])["myNumbers"] == ["View Numbers", "B"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "myNumbers = 1",
        "not toml",
        'myAccountFlags = ["A", "a"]\nmyNumbers = []\nmyCampaigns = []',
        'myAccountFlags = []\nmyNumbers = []\nmyCampaigns = []\nmyTypo = ["A"]',
    ],
)
def test_a_wrong_file_is_told_when_the_server_starts(settings, tmp_path, text):
    assert [error for error in run_checks() if error.id == "profiles.E001"] == []
    (tmp_path / "presets.toml").write_text(text)
    settings.MYACCOUNT_PRESETS_FILE = str(tmp_path / "presets.toml")
    assert [error.id for error in run_checks() if error.id == "profiles.E001"] == ["profiles.E001"]


def test_somebody_elses_profile_is_not_there(acme_key, other_key):
    profile = acme_key.create()
    assert other_key.list() == []
    for method in ("get", "patch", "put", "delete"):
        refused(other_key.send(method, PROFILES + profile["id"], None if method == "get" else {}), 404)
    assert other_key.create()["name"] == profile["name"]
    assert acme_key.list() == [profile]


def test_a_customer_of_somebody_else_cannot_be_named(acme_key, other, customer_of):
    refused(acme_key.post({"name": "X", "customerID": str(other.voip_id)}), 400)
    own = str(customer_of().voip_id)
    assert acme_key.create(customerID=own)["customerID"] == own


def test_the_portals_profiles_are_seen_by_those_they_can_reach(staff, acme_key, other_key, acme):
    general = staff.create("General")
    restricted = staff.create("Restricted", customerID=str(acme.voip_id))
    assert acme_key.list() == [general, restricted]
    assert other_key.list() == [general]
    refused(other_key.get(PROFILES + restricted["id"]), 404)
    for answer in (acme_key.patch(restricted, {"name": "Mine"}), acme_key.delete(general)):
        refused(answer, 403, "forbidden")
    assert staff.list() == [general, restricted]


def test_who_does_not_manage_may_not_look(alice, bob, acme):
    assert Key(f"Bearer {open_session(alice, None).access}").list() == []
    refused(Key(f"Bearer {open_session(bob, None).access}").get(), 403, "forbidden")
    extension = key_of(None, extension=ensure_extension(account=acme, number=101))
    refused(extension.get(), 403, "forbidden")


def test_the_database_also_says_that_a_name_is_used_once(acme):
    for owner in (acme, None):
        save_myaccount_profile(MyAccountProfile(name="One", account=owner))
        with pytest.raises(Refusal, match="already"):
            save_myaccount_profile(MyAccountProfile(name="ONE", account=owner))


OTHER_TYPES = ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "nonsense"]


@pytest.mark.parametrize("content_type", OTHER_TYPES)
def test_only_json_is_read(staff, content_type):
    refused(staff.send("post", PROFILES, "name=X", content_type), 415, "unsupported_media_type")


def test_ten_megabytes_are_refused(staff):
    refused(staff.post(json.dumps({"name": "X", "description": "x" * 10_000_000})), 413, "too_large")


@pytest.mark.parametrize("member", ["name", "description", "customerID", "myNumbers", "availability", "x\x00"])
def test_nul_is_refused(staff, member):
    refused(staff.post({"name": "X", member: "a\x00b"}), 400, "validation")
    assert not MyAccountProfile.objects.exists()


@pytest.mark.parametrize("query", ["limit=0", "limit=-1", f"limit={10**30}", "offset=-1", f"offset={10**30}"])
def test_an_absurd_limit_is_refused(staff, query):
    refused(staff.get(f"{PROFILES}?{query}"), 400, "validation")


def test_an_absurd_id_after_is_beyond_all(staff):
    staff.create()
    assert staff.list(f"?idAfter={10**30}") == []


@pytest.mark.parametrize(
    ("method", "path"),
    [("delete", PROFILES), ("post", f"{PROFILES}1"), ("options", PROFILES), ("post", "presetValues")],
)
def test_a_method_that_there_is_not(staff, method, path):
    answer = staff.send(method, path, {} if method == "post" else None)
    refused(answer, 405, "method_not_allowed")
    assert "GET" in answer["Allow"]


@pytest.mark.parametrize("path", ["", "nothing", f"{PROFILES}1/more", "customers/1"])
def test_a_url_that_there_is_not(staff, path):
    refused(staff.get(path), 404, "not_found")


@pytest.mark.parametrize("holder", ["staff", "acme_key"])
@pytest.mark.usefixtures("unforgetting")
def test_a_long_list_takes_as_many_queries_as_a_short_one(request, holder, acme):
    key = request.getfixturevalue(holder)
    group = AccountGroup.objects.create(name="Gold")

    def grow(numbers):
        rows = MyAccountProfile.objects.bulk_create(
            MyAccountProfile(name=f"Profile {number}", customer=acme) for number in numbers
        )
        for row in rows:
            row.group_links.create(group=group)

    def queries(rows: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert len(key.list()) == rows
        return len(captured)

    grow(range(25))
    key.list()  # The first use of a key is written down.
    short = queries(25)
    grow(range(25, 100))
    assert queries(100) == short
