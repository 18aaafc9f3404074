"""`manage.py profiles list|export|import KIND`: what is exported makes the same profiles elsewhere."""

import pytest

from contacts_app.accounts.models import AccountGroup
from contacts_app.contacts.models.contact import NotificationContact
from contacts_app.core.actor import system
from profiles_app.events.models.setup import EventProfile
from profiles_app.messaging.models import MessagingProfile, NumberLease
from profiles_app.messaging.services import save_number_lease
from profiles_app.myaccount.models import MyAccountProfile
from profiles_app.myaccount.services import save_myaccount_profile
from profiles_app.phone.models import PhoneProfile
from profiles_app.phone.services import create_profile
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.services import save_outbound_voice_profile
from tests.commands import run
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db
ACTOR = system("test")
SECRET = "https://hooks.example.org/in?key=hush"
MODELS = {
    "event": EventProfile,
    "phone": PhoneProfile,
    "myaccount": MyAccountProfile,
    "messaging": MessagingProfile,
    "outbound-voice": OutboundVoiceProfile,
    "contacts": NotificationContact,
}
NAME = {"contacts": "email"}
# What another portal gives anew; the numbers of an account stay where they are.
OWN = {"id", "uuid", "created_at", "updated_at", "created_by_id", "modified_by_id", "is_default", "revision_id", "main"}


def furnish(user, number):
    account = user.account
    EventProfile.objects.create(account=account, name=f"Events {number}", support_email="noc@acme.example")
    create_profile(
        actor=ACTOR, user=user, name=f"Desk {number}", content=sip_file().encode(), compatible_models=["8841", "8845"]
    )
    AccountGroup.objects.create(account=account, name=f"Hotels {number}")
    profile = MyAccountProfile(account=account, name=f"Portal {number}", myaccount_flags=["View Services"])
    profile.my_calls_enabled = True
    save_myaccount_profile(profile, groups=[f"Hotels {number}"])
    messaging = MessagingProfile.objects.create(
        account=account, name=f"Texts {number}", long_code_weight=5, callback_url=SECRET
    )
    lease = NumberLease(account=account, tn=12025550100 + number, messaging_profile=messaging)
    save_number_lease(lease, actor=ACTOR)
    voice = OutboundVoiceProfile(
        account=account, name=f"Voice {number}", tech_prefix=100_000 + number, max_rate=0.05, tn_lease=lease
    )
    save_outbound_voice_profile(voice, actor=ACTOR)
    NotificationContact.objects.create(account=account, email=f"night{number}@acme.example", name="Night desk")


@pytest.fixture
def both(alice, charlie):
    furnish(alice, 1)
    furnish(charlie, 2)


def stored(kind):
    """What the rows say, without what another portal gives anew."""
    rows = []
    for row in MODELS[kind].objects.order_by(NAME.get(kind, "name")):
        values = {name: value for name, value in vars(row).items() if not name.startswith("_") and name not in OWN}
        values.pop("content", None)
        groups = [link.group.name for link in row.group_links.all()] if kind == "myaccount" else []
        rows.append((values, groups, row.content if kind == "phone" else b""))
    return rows


@pytest.mark.parametrize("form", ["csv", "json"])
@pytest.mark.parametrize("kind", MODELS)
def test_what_is_exported_is_imported_again(both, tmp_path, kind, form):
    before, file = stored(kind), tmp_path / f"profiles.{form}"
    arguments = ("profiles", "export", kind, *(("--json",) if form == "json" else ()), "--with-secrets")
    ran = run(*arguments)
    assert ran.status == 0, ran.err
    assert "uuid" not in ran.out
    file.write_text(ran.out, newline="")
    again = run("profiles", "import", kind, file, "--json")
    assert (again.status, again.row["created"], again.row["updated"]) == (0, 0, 0), again.out
    gone = MODELS[kind].objects.all()
    if kind == "messaging":
        NumberLease.objects.all().delete()
    (gone.filter(main=False) if kind == "contacts" else gone).delete()
    dry = run("profiles", "import", kind, file, "--json", "--dry-run")
    assert (dry.status, dry.row["created"]) == (0, 2), dry.out + dry.err
    made = run("profiles", "import", kind, file, "--json")
    assert (made.status, made.row["created"]) == (0, 2), made.out + made.err
    assert stored(kind) == before


@pytest.mark.parametrize("kind", MODELS)
def test_an_account_sees_and_changes_its_own(both, acme, tmp_path, kind):
    listed = run("profiles", "list", kind, "--account", acme.voip_id).out
    everything = run("profiles", "list", kind).out
    theirs = "night2@acme.example" if kind == "contacts" else str(MODELS[kind].objects.get(name__endswith="2"))
    theirs = theirs.partition(" (")[0]
    assert theirs in everything
    assert theirs not in listed
    exported = run("profiles", "export", kind, "--account", acme.voip_id).out
    assert theirs not in exported
    file = tmp_path / "all.csv"
    file.write_text(run("profiles", "export", kind, "--with-secrets").out, newline="")
    before = stored(kind)
    refused = run("profiles", "import", kind, file, "--account", acme.voip_id)
    assert refused.status == 1
    assert stored(kind) == before


def test_options_may_stand_before_the_file(both, acme, tmp_path):
    file = tmp_path / "ours.csv"
    made = run("profiles", "export", "event", "--account", acme.voip_id, file)
    assert made.status == 0, made.err
    again = run("profiles", "import", "--account", acme.voip_id, "event", "--json", file)
    assert (again.status, again.row["unchanged"]) == (0, 1), again.err


def test_secrets_are_exported_only_when_asked_for(both):
    assert "hush" not in run("profiles", "export", "messaging").out
    assert "hush" in run("profiles", "export", "messaging", "--with-secrets").out
    assert "base64" not in run("profiles", "export", "phone").out
    assert run("profiles", "list", "messaging", "--with-secrets").status == 2


def test_errors_are_told_and_nothing_is_stored(acme, tmp_path):
    file = tmp_path / "rows.json"
    for text, part in (
        ('{"name": "x", "max_rate": -1}', "greater than or equal"),
        ('{"name": "x", "nonsense": 1}', "Unknown column"),
        ("[1]", "must be an object"),
        ("{", "is none"),
    ):
        file.write_text(text)
        ran = run("profiles", "import", "outbound-voice", file)
        assert ran.status == 1
        assert part in ran.out + ran.err
    assert not OutboundVoiceProfile.objects.exists()
    assert run("profiles", "list", "nonsense").status == 2
