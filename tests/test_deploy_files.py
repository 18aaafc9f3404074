"""The files of docs/deploy: systemd takes the units, and containers run the same commands with variables that exist."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from django.conf import settings

from tests import environment_reference
from tests.peers import nginx

ROOT: Path = settings.BASE_DIR
DEPLOY = ROOT / "docs" / "deploy"
UNITS = sorted(path for path in (DEPLOY / "systemd").iterdir() if path.is_file())
PROGRAM = re.compile(r"^ExecStart=/opt/patchbay/\.venv/bin/(.*)$", re.MULTILINE)
# What differs between a machine and a container, or between two workers.
OWN = re.compile(r" --host \S+| --hostname \S+")


@pytest.fixture(scope="module")
def compose() -> dict[str, dict[str, object]]:
    return yaml.safe_load((DEPLOY / "containers" / "compose.yaml").read_text())["services"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd here")
def test_systemd_finds_nothing_to_say_of_the_units(tmp_path):
    """With the paths of this checkout: it looks whether programs are there."""
    shutil.copytree(DEPLOY / "systemd", tmp_path, dirs_exist_ok=True)
    (tmp_path / "environment").write_text("")
    for path in filter(Path.is_file, tmp_path.rglob("*")):
        text = path.read_text().replace("/opt/patchbay", str(ROOT))
        path.write_text(text.replace("/etc/patchbay/environment", str(tmp_path / "environment")))
    names = [tmp_path / path.name.replace("@", "@1") for path in UNITS]
    ran = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", *names],
        env={"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


def test_every_service_is_hardened():
    """By the file that systemd reads for all units whose name begins so."""
    assert all(path.name.startswith("patchbay-") for path in UNITS if path.suffix == ".service")
    hardening = (DEPLOY / "systemd" / "patchbay-.service.d" / "hardening.conf").read_text()
    for line in (
        "NoNewPrivileges=yes",
        "ProtectSystem=strict",
        "CapabilityBoundingSet=",
        "UMask=0077",
        "User=patchbay",
    ):
        assert f"\n{line}\n" in hardening


def commands_of_units() -> set[str]:
    found = {OWN.sub("", command) for path in UNITS for command in PROGRAM.findall(path.read_text())}
    return {command for command in found if "backup" not in command and "prune" not in command}


def test_containers_run_what_the_units_run(compose):
    image = re.search(r"^CMD (\[.*\])$", (DEPLOY / "containers" / "Containerfile").read_text(), re.MULTILINE)
    commands = [
        service.get("command") or yaml.safe_load(image[1]) for service in compose.values() if "<<" not in service
    ]
    ours = {OWN.sub("", " ".join(command)) for command in commands if command[0] in ("granian", "celery", "python")}
    assert ours == commands_of_units() | {"python manage.py migrate --no-input"}


def test_what_a_container_waits_for_is_there(compose):
    waited_for = {name for service in compose.values() for name in service.get("depends_on", ())}
    assert waited_for <= compose.keys()
    for name in ("database", "broker"):
        assert compose[name]["healthcheck"]["test"]


def test_the_image_gets_what_the_portal_needs():
    text = (DEPLOY / "containers" / "Containerfile").read_text()
    copied = {name for line in re.findall(r"^COPY (.*)$", text, re.MULTILINE) for name in line.split()[:-1]}
    assert all((ROOT / name).exists() for name in copied)
    apps = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests"}
    assert apps | {"templates", "static", "manage.py", "requirements.lock"} <= copied


def test_every_variable_of_the_example_exists():
    known = {each.name for found in environment_reference.sections().values() for each in found}
    named = re.findall(r"^([A-Z_]+)=", (DEPLOY / "environment.example").read_text(), re.MULTILINE)
    assert set(named) <= known
    assert {"SECRET_KEY", "ENCRYPTION_KEYS", "DATABASE_URL", "PUBLIC_URL", "FILE_SERVER_HOST"} <= set(named)


@pytest.mark.parametrize("name", ["nginx.conf", "Caddyfile"])
def test_proxies_let_phones_through_without_tls(name):
    text = (DEPLOY / "proxy" / name).read_text()
    assert "/cisco/services/" in text
    assert "/emapp/" in text
    assert text.count("{") == text.count("}")
    assert "/healthz" in text or name == "nginx.conf"


@pytest.mark.skipif(nginx.NGINX is None, reason="no nginx here")
def test_nginx_takes_its_configuration(tmp_path):
    configuration = nginx.write_configuration(tmp_path, web=[8001, 8002], tls=8443, plain=8080)
    ran = subprocess.run([*nginx.command(configuration)[:-2], "-t", "-q"], capture_output=True, text=True)
    assert (ran.returncode, ran.stderr) == (0, "")


def test_alerts_are_about_numbers_that_are_told():
    """Those of the table in docs/operations.md, and what Prometheus makes of a histogram."""
    rules = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"][0]["rules"]
    told = set(re.findall(r"`(patchbay_\w+)`", (ROOT / "docs" / "operations.md").read_text()))
    asked = {name for rule in rules for name in re.findall(r"patchbay_\w+", rule["expr"])}
    assert {re.sub("_(count|bucket|sum)$", "", name) for name in asked} <= told
    assert all(rule["annotations"].keys() == {"summary", "action"} for rule in rules)
