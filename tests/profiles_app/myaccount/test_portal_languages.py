"""The portal in its second language: every text has one, and what is installed is what was written (portal spec §5)."""

import ast
import gettext
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone

from contacts_app.contacts.models.contact import event_classes
from contacts_app.core.actor import system
from contacts_app.people import second_factor
from contacts_app.people.models import SecondFactor
from profiles_app.myaccount.portal.refusals import FAULTS_OF_KEYS, WITH_VALUES
from profiles_app.voice.models.profile import OutboundVoiceProfile
from profiles_app.voice.services import save_outbound_voice_profile
from tests.contacts_app.people.test_second_factor import code_of
from tests.profiles_app.visitors import grant, visit

LOCALE = Path(settings.LOCALE_PATHS[0]) / "de" / "LC_MESSAGES"
SAID = re.compile(r"""\{% translate (?:"([^"]+)"|'([^']+)') %\}""")
CODE = [
    *(settings.BASE_DIR / "profiles_app/myaccount/portal").glob("*.py"),
    *(path for app in ("profiles_app", "phones_app") for path in (settings.BASE_DIR / app).glob("*/portal.py")),
]
TEMPLATES = list((settings.BASE_DIR / "templates").glob("*/*/portal"))


def catalogue(file: Path) -> dict[object, str]:
    with file.open("rb") as compiled:
        texts: dict[object, str] = gettext.GNUTranslations(compiled)._catalog  # type: ignore[attr-defined]
    # The header, which says when it was made.
    return {said: text for said, text in texts.items() if said}


def texts_of_code() -> set[str]:
    found = set()
    for path in CODE:
        for call in ast.walk(ast.parse(path.read_text())):
            if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.args:
                said = call.args[0]
                if call.func.id in ("_", "gettext", "gettext_lazy", "gettext_noop") and isinstance(said, ast.Constant):
                    found.add(said.value)
    return found


def test_every_text_is_in_german():
    said = texts_of_code()
    for folder in TEMPLATES:
        for path in folder.rglob("*.*"):
            said |= {one or other for one, other in SAID.findall(path.read_text())}
    assert len(said) > 300
    assert said - catalogue(LOCALE / "django.mo").keys() == set()


def test_what_contacts_are_told_of_is_in_german():
    assert {one.label for one in event_classes.values()} - catalogue(LOCALE / "django.mo").keys() == set()


def test_what_is_told_with_values_is_still_said_so():
    """Their fixed parts, as they stand in the code."""
    apps = [settings.BASE_DIR / app for app in ("contacts_app", "profiles_app", "phones_app")]
    code = "".join(path.read_text() for app in apps for path in app.rglob("*.py") if path.name != "refusals.py")
    for sentence in (*FAULTS_OF_KEYS, *WITH_VALUES):
        longest = max(re.split(r"%\(\w+\)s", sentence), key=len).strip("() ")
        assert longest in code, sentence


@pytest.mark.skipif(not shutil.which("msgfmt"), reason="gettext is not installed")
def test_what_is_installed_is_what_translators_wrote(tmp_path):
    source = LOCALE / "django.po"
    told = subprocess.run(
        ["msgfmt", "--check", "--statistics", "-o", tmp_path / "new.mo", source], capture_output=True, text=True
    )
    assert told.returncode == 0, told.stderr
    assert not re.search("fuzzy|untranslated", told.stderr), told.stderr
    assert catalogue(tmp_path / "new.mo") == catalogue(LOCALE / "django.mo")


@pytest.mark.django_db
def test_pages_are_shown_in_german(acme, alice):
    grant(acme, "Manage Users")
    client = visit(alice)
    page = client.get("/my-account/users/", headers={"accept-language": "de"}).content.decode()
    assert "Person einladen" in page
    assert "Abmelden" in page
    assert '<html lang="de">' in page
    client.cookies["portal_sessionid"] = "none"
    wrong = client.post("/my-account/login/", {"username": "x", "password": "y"}, headers={"accept-language": "de"})
    assert "E-Mail-Adresse oder Passwort ist falsch." in wrong.content.decode()


@pytest.mark.django_db
def test_what_forms_refuse_is_told_in_german(acme, alice, bob):
    flags = ("View Numbers", "Order Numbers", "View Call Plans", "Edit Call Plans", "Manage Users", "Manage Contacts")
    grant(acme, *flags)
    plan = save_outbound_voice_profile(OutboundVoiceProfile(account=acme, name="Sales"), actor=system("test"))
    client = visit(alice)
    for page, sent, told in (
        ("numbers/order", {"quantity": 1, "prefix": "abc"}, "Nur Ziffern."),
        ("contacts/add", {"email": "nobody"}, "Muss eine E-Mail-Adresse sein."),
        ("contacts/add", {"email": "bob@acme.example", "phone": "12"}, "Muss eine Telefonnummer sein"),
        (f"call-plans/{plan.uuid}/edit", {"recorded_callers": "somebody"}, "Höchstens 1000 Zeilen"),
        ("users/invite", {"email": bob.email, "permission_level": 1}, "meldet sich schon jemand anderes an"),
    ):
        answer = client.post(f"/my-account/{page}/", sent, headers={"accept-language": "de"})
        assert answer.status_code == 400, page
        assert told in answer.content.decode(), page


@pytest.mark.django_db
def test_what_is_told_with_a_number_in_it_is_in_german(acme, alice, bob):
    grant(acme, "Manage Users")
    client = visit(alice)
    short = client.post(
        f"/my-account/users/{bob.uuid}/pin/", {"pin": "12"}, headers={"accept-language": "de"}, follow=True
    )
    assert "Eine PIN hat 4 bis 16 Ziffern: Telefone bieten keine anderen Tasten." in short.content.decode()
    key = second_factor.new_key()
    second_factor.enrol(alice, key=key, code=code_of(key))
    # As after ten wrong codes.
    SecondFactor.objects.update(throttling_failure_count=10, throttling_failure_timestamp=timezone.now())
    eleventh = {"code": "000000", "wish": "enter"}
    shown = visit(alice).post("/my-account/second-factor/", eleventh, headers={"accept-language": "de"})
    assert re.search(r"Zu viele falsche Codes: Versuchen Sie es in \d+ s erneut\.", shown.content.decode())
