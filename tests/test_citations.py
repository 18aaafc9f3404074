"""Every citation leads somewhere: `events spec §5.4` is section 5.4 of `docs/specs/events.md`.

The format is in `docs/specs/README.md`. A § outside of it is a citation that no reader could follow.
"""

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SPECS = ROOT / "docs" / "specs"
READ = ("*.py", "*.md", "*.html", "*.toml", "*.txt")

# Documents of others are cited by the same sign; where they are to be had is known.
OTHERS = r"RFC \d+|XML 1\.0|SMPP 3\.4|3GPP TS 23\.0\d\d|47 CFR|OpenID Connect (?:Core|Discovery|RP-Initiated Logout)"
# The sections of one spec have letters.
NUMBER = r"(?:\d+|[A-Z]\b)(?:\.\d+)*"
NUMBERS = rf"§{NUMBER}(?:(?:, | and | to |, and )§{NUMBER})*"
# What leads out of the repository, to a reader's nowhere.
VAGUE = re.compile(r"\bshared/|\bseeds?/|\bthe (?:issue|brief)\b|\bspec/[a-z]", re.IGNORECASE)


def spec_names() -> dict[str, Path]:
    """The specs by the name in which they are cited: `phone-profiles.md` is *phone profiles*."""
    return {path.stem.replace("-", " "): path for path in SPECS.glob("*.md") if path.stem != "README"}


def sections(spec: Path) -> set[str]:
    """The numbers of headings, and those of the items in numbered lists below them: item 14 of section 8 is 8.14."""
    found: set[str] = set()
    heading = ""
    for line in spec.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"#{2,4} (\d+(?:\.\d+)*(?=[. ])|[A-Z](?=\. ))", line):
            heading = match[1]
            found.add(heading)
        elif match := re.match(r"(\d+)\. ", line):
            found.add(f"{heading}.{match[1]}")
    return found


def flowing(text: str) -> str:
    """The text without line breaks and the comment signs after them: a citation may be wrapped anywhere."""
    return re.sub(r"\s*\n\s*(?:#+ |> )?\s*", " ", text)


def broken(text: str, names: dict[str, set[str]], *, own: set[str] | None = None) -> list[str]:
    """Return the citations in a text that lead nowhere. `own` are the sections that a § without a name may mean."""
    text = flowing(text)
    known = "|".join(re.escape(name) for name in names)
    citation = re.compile(rf"(?:(?P<spec>{known}) spec|(?P<other>{OTHERS})) (?P<numbers>{NUMBERS})", re.IGNORECASE)
    wrong = []
    followed: set[int] = set()
    for match in citation.finditer(text):
        followed.update(match.start("numbers") + sign.start() for sign in re.finditer("§", match["numbers"]))
        if spec := match["spec"]:
            missing = set(re.findall(rf"§({NUMBER})", match["numbers"])) - names[spec.lower()]
            wrong += [f"{spec} spec §{number}: no such section" for number in sorted(missing)]
    for sign in re.finditer(rf"§({NUMBER})?", text):
        if sign.start() not in followed and sign[1] not in (own or ()):
            wrong.append(f"of no spec: …{text[max(0, sign.start() - 40) : sign.end() + 10]}…")
    return wrong


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files", "-z", *READ], cwd=ROOT, capture_output=True, check=True, text=True)
    # These two write down what citations look like, wrong ones included.
    explain = {Path(__file__).resolve(), SPECS / "README.md"}
    paths = [ROOT / name for name in listing.stdout.split("\0") if name]
    return [path for path in paths if path not in explain and path.exists()]


@pytest.fixture(scope="module")
def names() -> dict[str, set[str]]:
    return {name: sections(path) for name, path in spec_names().items()}


def test_every_citation_leads_to_a_section(names):
    wrong = []
    cited = 0
    for path in tracked():
        text = path.read_text(encoding="utf-8")
        own = sections(path) if path.parent == SPECS else None
        wrong += [f"{path.relative_to(ROOT)}: {fault}" for fault in broken(text, names, own=own)]
        cited += text.count("§")
    assert not wrong, "\n".join(wrong)
    assert cited > 100, "the search finds nothing any more"


def test_nothing_refers_to_material_outside_the_repository():
    vague = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in tracked()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if VAGUE.search(line)
    ]
    assert not vague, "\n".join(vague)


@pytest.mark.parametrize(
    "text",
    [
        "(events spec §99)",
        "(spec §5.4)",
        "(§5.4)",
        "(events spec §5.4, §77)",
        "the billing spec §1",
        "events spec (§5)",
        "(Asterisk spec §Z)",
        "(Asterisk spec §I.77)",
    ],
)
def test_a_citation_that_leads_nowhere_is_found(names, text):
    assert broken(text, names)


@pytest.mark.parametrize(
    "text",
    [
        "(events spec §5.4)",
        "(events spec §5.3 to §5.5)",
        "(Cisco phones\n# spec §8.14)",
        "RFC 3261 §17.2.2, timer J",
        "(Cisco phones spec §4.9, §5). The first fit",
        "(Asterisk spec §B, §I.3 and §F.5)",
    ],
)
def test_a_citation_that_leads_somewhere_is_followed(names, text):
    assert not broken(text, names)
