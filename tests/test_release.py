"""`make release` on a small repository with our own lock and metadata."""

import hashlib
import json
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from django.conf import settings

ROOT: Path = settings.BASE_DIR
FILES = (
    *(".ci/release.py", "pyproject.toml", "requirements.lock", "config/openapi.toml", "docs/openapi.yaml"),
    *("LICENSE", "README.md"),
)


@pytest.fixture
def checkout(tmp_path):
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    (tmp_path / ".gitignore").write_text("dist/\n")
    (tmp_path / "tests" / "upgrade").mkdir(parents=True)
    (tmp_path / "tests" / "upgrade" / "9.8.7.json.xz").write_text("a database of it")
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## Unreleased\n\n- Phones are green.\n\n## 0.1.0\n\n- All.\n"
    )
    git(tmp_path, "init", "--quiet")
    git(tmp_path, "config", "user.name", "Releaser")
    git(tmp_path, "config", "user.email", "releaser@example.org")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "--quiet", "--message", "all of it")
    return tmp_path


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout


def release(folder, version):
    command = [sys.executable, ".ci/release.py", version]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True)


def test_a_release_is_made_and_can_be_checked(checkout):
    made = release(checkout, "9.8.7")
    assert made.returncode == 0, made.stderr
    assert git(checkout, "tag").split() == ["v9.8.7"]
    assert git(checkout, "log", "-1", "--format=%s").strip() == "release: 9.8.7"
    assert not git(checkout, "status", "--porcelain")
    changelog = (checkout / "CHANGELOG.md").read_text()
    assert re.search(r"## Unreleased\n\n## 9\.8\.7 \(\d{4}-\d\d-\d\d\)\n\n- Phones are green\.", changelog)
    dist = checkout / "dist"
    sums = dict(line.split()[::-1] for line in (dist / "patchbay-9.8.7.sha256").read_text().splitlines())
    assert sums.keys() == {f"patchbay-9.8.7{end}" for end in (".tar.gz", ".cdx.json", "-licences.md")}
    assert all(hashlib.sha256((dist / name).read_bytes()).hexdigest() == digest for name, digest in sums.items())
    with tarfile.open(dist / "patchbay-9.8.7.tar.gz") as source:
        assert b'version = "9.8.7"' in source.extractfile("patchbay-9.8.7/pyproject.toml").read()
        assert b"\n  version: 9.8.7\n" in source.extractfile("patchbay-9.8.7/docs/openapi.yaml").read()
        assert "patchbay-9.8.7/LICENSE" in source.getnames()
    locked = set(re.findall(r"^([\w.-]+)(?:\[.*?\])?==", (checkout / "requirements.lock").read_text(), re.MULTILINE))
    materials = json.loads((dist / "patchbay-9.8.7.cdx.json").read_text())
    assert (materials["bomFormat"], materials["metadata"]["component"]["version"]) == ("CycloneDX", "9.8.7")
    assert {
        one["name"]: bool(one["licenses"][0]["license"]["name"]) for one in materials["components"]
    } == dict.fromkeys(locked, True)
    django = next(one for one in materials["components"] if one["name"] == "django")
    hashes = {one["content"] for one in django["externalReferences"][0]["hashes"]}
    assert hashes
    assert all(f"--hash=sha256:{one}" in (checkout / "requirements.lock").read_text() for one in hashes)
    wants = {one["ref"]: set(one.get("dependsOn", [])) for one in materials["dependencies"]}
    whole = wants[materials["metadata"]["component"]["bom-ref"]]
    assert django["purl"] in whole
    assert {"pkg:pypi/asgiref", "pkg:pypi/sqlparse"} <= {name.partition("@")[0] for name in wants[django["purl"]]}
    assert whole.union(*wants.values()) == wants.keys() - {materials["metadata"]["component"]["bom-ref"]}
    assert made.stderr == ""
    assert "| django | BSD-3-Clause |" in (dist / "patchbay-9.8.7-licences.md").read_text()
    assert "tagged already" in release(checkout, "9.8.7").stderr


def test_what_is_not_ready_is_not_released(checkout):
    assert "no version" in release(checkout, "9.8").stderr
    assert "tests.upgrade.freeze 9.9.0" in release(checkout, "9.9.0").stderr
    (checkout / "README.md").write_text("changed")
    assert "not committed" in release(checkout, "9.8.7").stderr
    git(checkout, "checkout", "README.md")
    lock = checkout / "requirements.lock"
    lock.write_text(lock.read_text() + "some-unknown-package==1.0\n")
    git(checkout, "commit", "--quiet", "--all", "--message", "a package")
    assert "some-unknown-package: unknown" in release(checkout, "9.8.7").stderr
    assert not git(checkout, "tag")
