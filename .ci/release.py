"""The mechanical part of a release (docs/releasing.md): `python .ci/release.py 0.2.0`.

Sets the version, closes the changelog, commits, tags, and puts into `dist/`: the source, a bill of materials (CycloneDX)
of all that is installed with it, the licence of each of them, and checksums. Nothing is published.
"""

import datetime
import gzip
import hashlib
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import DisjunctiveLicense
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

DIST = Path("dist")
# A package, its version, and what a lock says of it: hashes of its files, and which packages want it.
PINNED = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[.*?\])?==([^ ;\\\n]+)((?:.*\n)(?:[ ].*\n)*)", re.MULTILINE)
HASH, WANTED_BY = re.compile(r"sha256:([0-9a-f]{64})"), re.compile(r"#(?: {1,3}via)? +([a-z][A-Za-z0-9_.-]+)")
# Where the version stands, and what stands before it.
VERSIONS = {"pyproject.toml": 'version = "', "config/openapi.toml": 'VERSION = "', "docs/openapi.yaml": "  version: "}
# What the metadata of packages leave out, or of packages that are installed on other systems alone.
LICENCES = {
    "async-timeout": "Apache-2.0",
    "tzdata": "Apache-2.0",
    "pyasynchat": "PSF-2.0",
    "pyasyncore": "PSF-2.0",
    "pyftpdlib": "MIT",
}
# Each can be part of a work under the AGPL 3.
COMPATIBLE = re.compile(r"MIT|BSD|Apache|ISC|MPL|Mozilla|LGPL|PSF|Python Software|Unlicense|Zope|CC0")


def main(version: str) -> None:
    if not re.fullmatch(r"\d+\.\d+\.\d+(rc\d+)?", version):
        sys.exit(f"{version} is no version: 1.2.3, or 1.2.3rc1 before it.")
    if git("status", "--porcelain"):
        sys.exit("There are changes that are not committed.")
    if git("tag", "--list", f"v{version}"):
        sys.exit(f"v{version} is tagged already.")
    if "rc" not in version and not (dump := Path(f"tests/upgrade/{version}.json.xz")).exists():
        sys.exit(
            f"There is no {dump}, from which later versions test their upgrade: make it by\n"
            f"  python -m tests.upgrade.freeze {version}\nand commit it."
        )
    licences = licences_of(Path("requirements.lock"))
    close_changelog(version)
    set_version(version)
    git("commit", "--quiet", "--all", "--message", f"release: {version}")
    git("tag", "--annotate", "--message", f"Patchbay {version}", f"v{version}")
    DIST.mkdir(exist_ok=True)
    name = f"patchbay-{version}"
    write_source(version, DIST / f"{name}.tar.gz")
    write_materials(licences, version, DIST / f"{name}.cdx.json")
    rows = [f"| {package} | {licence} |\n" for package, licence in licences.items()]
    (DIST / f"{name}-licences.md").write_text("| package | licence |\n|---|---|\n" + "".join(rows))
    files = sorted(DIST.glob(f"{name}[.-]*"))
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (DIST / f"{name}.sha256").write_text("".join(sums))
    print(
        f"v{version} is committed and tagged; {DIST}/ has:",
        *(path.name for path in files),
        f"{name}.sha256",
        sep="\n  ",
    )
    print(f"To publish: git push origin HEAD v{version}, then attach the files. To undo:")
    print(f"  git tag --delete v{version} && git reset --keep HEAD~1")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def set_version(version: str) -> None:
    for path, before in VERSIONS.items():
        text = Path(path).read_text()
        stands = re.compile(rf'^{re.escape(before)}[^"\n]+', re.MULTILINE)
        changed, count = stands.subn(f"{before}{version}", text, count=1)
        if not count:
            sys.exit(f"{path} has no version.")
        Path(path).write_text(changed)


def close_changelog(version: str) -> None:
    """What was unreleased is this version's; an empty list for the next one stands above it."""
    text = Path("CHANGELOG.md").read_text()
    head, title, rest = text.partition("## Unreleased\n")
    entries = rest.partition("\n## ")[0]
    if not title or not entries.strip():
        sys.exit("CHANGELOG.md has nothing under “Unreleased”.")
    today = datetime.datetime.now(datetime.UTC).date()
    Path("CHANGELOG.md").write_text(f"{head}## Unreleased\n\n## {version} ({today})\n{rest}")


def write_source(version: str, path: Path) -> None:
    """What the tag holds. The same bytes for the same commit, so that others can check it: gzip writes no time."""
    archive = ["git", "archive", "--format=tar", f"--prefix=patchbay-{version}/", f"v{version}"]
    tar = subprocess.run(archive, check=True, capture_output=True).stdout
    path.write_bytes(gzip.compress(tar, mtime=0))


def write_materials(licences: dict[str, str], version: str, path: Path) -> None:
    """What is installed with a release, by the lock: the files that it names, and who wants which package."""
    bom = Bom()
    whole = bom.metadata.component = Component(name="patchbay", version=version, type=ComponentType.APPLICATION)
    # A package may be locked in several versions, each for other versions of Python.
    components, wanted = {"patchbay": [whole]}, {}
    for package, locked, told in PINNED.findall(Path("requirements.lock").read_text()):
        licence = [DisjunctiveLicense(name=licences[package])]
        name = PackageURL(type="pypi", name=package, version=locked)
        component = Component(name=package, version=locked, purl=name, bom_ref=str(name), licenses=licence)
        hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in HASH.findall(told)]
        page = XsUri(f"https://pypi.org/project/{package}/{locked}/#files")
        kind = ExternalReferenceType.DISTRIBUTION
        component.external_references.add(ExternalReference(type=kind, url=page, hashes=hashes))
        bom.components.add(component)
        components.setdefault(package, []).append(component)
        wanted.setdefault(package, []).extend(WANTED_BY.findall(told))
    for wanting, versions in components.items():
        needs = [each for name, by in wanted.items() if wanting in by for each in components[name]]
        for component in versions:
            bom.register_dependency(component, needs)
    path.write_text(JsonV1Dot6(bom).output_as_string(indent=1) + "\n")


def licences_of(lock: Path) -> dict[str, str]:
    """Package and licence of all in the lock. One that may not be here, or is not known, ends the release."""
    found: dict[str, str] = {}
    for package, _, _ in PINNED.findall(lock.read_text()):
        found[package] = LICENCES.get(package) or licence_of(package)
    if bad := [
        f"{package}: {licence or 'unknown'}" for package, licence in found.items() if not COMPATIBLE.search(licence)
    ]:
        sys.exit("Licences to look at before a release (.ci/release.py):\n  " + "\n  ".join(bad))
    return found


def licence_of(package: str) -> str:
    try:
        metadata = importlib.metadata.metadata(package)
    except importlib.metadata.PackageNotFoundError:
        return ""
    classifiers = [
        word.rpartition(" :: ")[2] for word in metadata.get_all("Classifier") or [] if word.startswith("License")
    ]
    told = (metadata["License-Expression"], " / ".join(classifiers), (metadata["License"] or "").partition("\n")[0])
    return next(filter(None, told), "")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
