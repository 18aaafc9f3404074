"""Reading the settings writes nothing; the entry points make what is missing."""

import os
import subprocess
import sys

from django.conf import settings

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
