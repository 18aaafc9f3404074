"""Reading the settings writes nothing; the entry points make what is missing."""

import os
import re
import subprocess
import sys

from django.conf import settings

from tests import environment_reference

READ = "from config import settings; print(settings.SECRET_KEY == '')"
PREPARE = "from config.environment import prepare; prepare(); " + READ


def python(code, folder):
    environment = os.environ | {"DATA_DIR": str(folder)}
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def test_reading_settings_writes_nothing(tmp_path):
    assert python(READ, tmp_path / "data") == "True"
    assert not (tmp_path / "data").exists()


def test_secrets_are_made_once(tmp_path):
    folder = tmp_path / "data"
    assert python(PREPARE, folder) == "False"
    made = {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}
    assert made.keys() == {"secret_key", "encryption_keys"}
    assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.rglob("*")))
    python(PREPARE, folder)
    assert {name: (folder / name).read_text() for name in made} == made


def test_the_reference_of_settings_is_current_and_says_what_each_is():
    assert environment_reference.DOCUMENT.read_text() == environment_reference.document(), "make environment"
    silent = [each.name for found in environment_reference.sections().values() for each in found if not each.meaning]
    assert not silent, "write a comment at or above these lines of config/settings.py"


# Django's own, and one that is only set, for a library.
NO_SETTINGS = {"DJANGO_SETTINGS_MODULE", "PROMETHEUS_MULTIPROC_DIR"}


def test_no_variable_is_read_without_being_in_the_reference():
    read = re.compile(r"os\.environ(?:\.get\(|\[)\"([A-Z_]+)\"")
    texts = [path.read_text() for folder in ("config", "contacts_app", "profiles_app", "phones_app")
             for path in (settings.BASE_DIR / folder).rglob("*.py")]  # fmt: skip
    found = {name for text in texts for name in read.findall(text)} - NO_SETTINGS
    assert [name for name in sorted(found) if f"`{name}`" not in environment_reference.document()] == []
