"""The documentation site is built without a warning, loads nothing from elsewhere, and leads to each of its pages."""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from uuid import UUID

import pytest
from django.core.management import get_commands, load_command_class
from django.urls import resolve
from lxml import html

from tests import reference
from tests.kept import kept

ROOT = Path(__file__).resolve().parents[1]
IN_CSS = re.compile(r"(?:url\(|@import)\s*['\"]?([^'\")\s;]+)")
LOADED = (
    "script/@src",
    "img/@src",
    "iframe/@src",
    "source/@src",
    "img/@srcset",
    "link/@href",
    "form/@action",
    "object/@data",
)


SPHINX = [sys.executable, "-m", "sphinx", "--quiet", "--fail-on-warning", "--keep-going"]
MADE_FROM = ["docs/*.md", "docs/conf.py", "docs/[a-z]*/**/*.md", "docs/images/*", "*.md", "requirements-dev.lock"]


def build(folder: Path) -> None:
    with tempfile.TemporaryDirectory() as doctrees:
        ran = subprocess.run(
            [*SPHINX, "-b", "html", "-d", doctrees, "docs", folder],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert (ran.returncode, ran.stdout + ran.stderr) == (0, "")


@pytest.fixture(scope="module")
def site():
    return kept("docs-site", MADE_FROM, build)


def test_nothing_is_loaded_from_elsewhere(site):
    loaded = {
        (page.name, str(address))
        for page in site.rglob("*.html")
        for document in [html.parse(page)]
        for attribute in LOADED
        for address in document.xpath(f"//{attribute}")
    }
    loaded |= {
        (path.name, address)
        for path in [*site.rglob("*.css"), *site.rglob("*.html")]
        for address in IN_CSS.findall(path.read_text(encoding="utf-8"))
        if path.suffix == ".css"
    }
    assert len(loaded) > 100
    assert [
        each for each in sorted(loaded) if re.match(r"\w+:(?!image/)|//", each[1]) and not each[1].startswith("data:")
    ] == []


def test_every_page_is_in_the_navigation(site):
    pages = {str(page.relative_to(site)) for page in site.rglob("*.html")} - {
        "genindex.html",
        "search.html",
        "index.html",
    }
    assert len(pages) > 60
    shown = html.parse(site / "index.html").xpath("//div[contains(@class, 'sidebar-tree')]//a/@href")
    assert pages - set(shown) == set()


def test_what_is_searched_stands_beside_the_pages(site):
    """As a script, which a browser loads from a folder, too."""
    assert "firmware" in (site / "searchindex.js").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", sorted(ROOT.glob("docs/guide/*.md")), ids=lambda page: page.stem)
def test_commands_and_requests_of_the_guide_are_there(page):
    """Each option of `manage.py COMMAND`, and each URL of curl with a view; that of the pages with curl are run."""
    shell = "\n".join(re.findall(r"^ *```\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))
    shell = shell.replace("\\\n", " ")
    for command, rest in re.findall(r"manage\.py (\w+)(.*)", shell):
        parser = load_command_class(get_commands()[command], command).create_parser("manage.py", command)
        known = {option for action in parser._actions for option in action.option_strings}
        assert set(re.findall(r"(?<= )--[\w-]+", rest.partition("#")[0])) <= known, (command, rest)
    for path in re.findall(r"\$PATCHBAY(/[^\s\"?]*)", shell):
        resolve(path.replace("LAYER_UUID", str(UUID(int=1))))


@pytest.mark.parametrize("name", reference.PAGES)
def test_the_reference_is_current(name):
    assert (reference.FOLDER / f"{name}.md").read_text(encoding="utf-8") == reference.document(name), "make reference"
