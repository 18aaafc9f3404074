"""Real files from the field are adopted without loss: each that the checker accepts comes back byte for byte.

The collection belongs to others and is no part of the project; without it these tests are skipped.
"""

import os
from pathlib import Path

import pytest

from profiles_app.phone import sep
from profiles_app.phone.adopting import SepFile, plan
from tests.profiles_app.phone.adopting.given_back import given_back

SAMPLES = Path(os.environ.get("PATCHBAY_SAMPLES") or Path(__file__).parents[5] / "shared" / "samples") / "sep"

pytestmark = pytest.mark.skipif(not SAMPLES.exists(), reason="the sample collection is not there (PATCHBAY_SAMPLES)")


def readable() -> list[SepFile]:
    """All of them, also those without a server, which are templates themselves."""
    files = []
    for number, path in enumerate(sorted(SAMPLES.glob("*.xml"))):
        content = path.read_bytes()
        try:
            facts = sep.facts(sep.parse(content))
        except sep.Refused:
            continue
        model = facts.load_models[0] if len(facts.load_models) == 1 else ""
        files.append(SepFile(path.name, f"00005E55{number:04X}", content, model, facts.protocol))
    return files


def test_nothing_is_lost_of_real_files():
    files = readable()
    assert len(files) > 50
    planned = plan(files)
    assert planned.kept == {}
    assert given_back(planned, files) == {file.mac: file.content for file in files}
    # Most of them are of authors who knew nothing of each other.
    assert len(planned.templates) < len(files)
