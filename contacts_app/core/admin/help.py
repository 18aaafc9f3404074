"""The chapters of docs/ as pages of the admin, so that an installation without a way out can read them.

What they link to beside other chapters and their pictures is left out.
"""

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from os.path import isfile
from pathlib import Path, PurePosixPath
from posixpath import normpath
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import admin
from django.http import FileResponse, Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.token import Token

from contacts_app.core.admin.links import help_url
from contacts_app.core.admin.search import Hit, Hits, named

DOCS = Path(settings.BASE_DIR) / "docs"
# What of docs/ is no chapter for people at the admin: the specs and check-lists of the code, and what only the site has.
LEFT_OUT = (
    *("specs", "how-to-add-", "seeds.md", "releasing.md", "testing.md", "ten-jobs.md", "_", "index.md"),
    *("changelog.md", "contributing.md", "security.md", "threat-model.md"),
)
PICTURES = {".png": "image/png", ".svg": "image/svg+xml", ".webp": "image/webp"}
# Where the first page of docs/ names the others.
CONTENTS = re.compile(r"^:caption: (.+)\n\n((?:.+\n)*.+)\n```$", re.MULTILINE)
# Unsafe markup is escaped: a chapter is text.
MARKDOWN = MarkdownIt("commonmark", {"html": False}).enable("table")
# What is wider than a narrow window is scrolled within itself, by keys as well.
WIDE = {
    "<pre>": '<pre tabindex="0">',
    "<table>": '<div class="pb-chapter-wide" tabindex="0"><table>',
    "</table>": "</table></div>",
}


def chapters() -> dict[str, str]:
    """Their titles by their paths below docs/."""
    files = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
    shown = [file for file in files if not file.startswith(LEFT_OUT)]
    return {file: _title(file, (DOCS / file).stat().st_mtime_ns) for file in shown}


@lru_cache(maxsize=256)
def _title(file: str, _changed: int) -> str:
    """The first heading, without its marks."""
    with (DOCS / file).open(encoding="utf-8") as lines:
        return next((line[2:].strip().replace("`", "") for line in lines if line.startswith("# ")), file)


@lru_cache(maxsize=128)
def read_chapter(file: str, _changed: int) -> tuple[str, SafeString]:
    """The title and the page of a chapter."""
    tokens = MARKDOWN.parse((DOCS / file).read_text(encoding="utf-8"))
    title, used = "", set[str]()
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            text = _text(tokens[place + 1])
            title = title or text
            slug = slug_of(text)
            token.attrSet("id", slug if slug not in used else f"{slug}-{len(used)}")
            used.add(slug)
        elif token.type == "inline":
            _lead_on(token.children or [], PurePosixPath(file).parent)
    # Directives of the program that builds the site of the documentation.
    tokens = [token for token in tokens if not (token.type == "fence" and token.info.startswith("{"))]
    page = MARKDOWN.renderer.render(tokens, MARKDOWN.options, {})
    for tag, wide in WIDE.items():
        page = page.replace(tag, wide)
    # Escaped by the renderer, which takes no markup of the text over.
    return title or file, SafeString(page)


def slug_of(heading: str) -> str:
    """The name of a heading in addresses, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")


def _text(token: Token) -> str:
    return "".join(part.content for part in token.children or [] if part.type in ("text", "code_inline"))


def _lead_on(parts: Sequence[Token], folder: PurePosixPath) -> None:
    """Links between chapters lead to their pages here; those to other files of the source lead nowhere."""
    for part in parts:
        name = {"link_open": "href", "image": "src"}.get(part.type)
        link = str(part.attrGet(name)) if name else ""
        if not name or link.startswith("#") or urlsplit(link).scheme in ("http", "https", "mailto"):
            continue
        file, _, place = link.partition("#")
        file = normpath((folder / file).as_posix())
        is_shown = PurePosixPath(file).suffix in (".md", *PICTURES) and not file.startswith("..")
        if is_shown and (DOCS / file).is_file():
            part.attrSet(name, help_url(f"{file}#{place}" if place else file))
        elif name == "href":
            del part.attrs["href"]


def help_index_page(request: HttpRequest) -> TemplateResponse:
    """All chapters, by people. To be wrapped in the admin's `admin_view`."""
    left = chapters()
    sections: list[tuple[str, list[tuple[str, str]]]] = []
    for caption, order in _contents():
        # The page of a folder stands for all that is in it.
        places = {file: _place(file, order) for file in left}
        files = sorted(
            (file for file in left if places[file] is not None), key=lambda file: (places[file], file not in order)
        )
        sections.append((caption, [(help_url(file), left.pop(file)) for file in files]))
    sections.append(("More", [(help_url(file), title) for file, title in left.items()]))
    return _page(request, "Help", sections=[section for section in sections if section[1]])


def _place(file: str, order: list[str]) -> int | None:
    folder = f"{PurePosixPath(file).parent}/index.md"
    return next((order.index(name) for name in (file, folder) if name in order), None)


def _contents() -> Iterator[tuple[str, list[str]]]:
    """The contents of the site of the documentation: each caption with its files."""
    for caption, names in CONTENTS.findall((DOCS / "index.md").read_text(encoding="utf-8")):
        # "Title <file>", or the file alone.
        yield caption, [name.rpartition("<")[2].removesuffix(">") + ".md" for name in names.split("\n")]


def help_page(request: HttpRequest, chapter: str) -> HttpResponseBase:
    """A chapter, or a picture in one."""
    file = DOCS / chapter
    # Only what really lies there, by a name without a way out.
    if chapter != normpath(chapter) or chapter.startswith((".", "/")) or not isfile(file):
        raise Http404(f"There is no chapter {chapter!r}.")
    if kind := PICTURES.get(file.suffix):
        return FileResponse(file.open("rb"), content_type=kind)
    if file.suffix != ".md":
        raise Http404(f"There is no chapter {chapter!r}.")
    title, content = read_chapter(chapter, file.stat().st_mtime_ns)
    return _page(request, title, content=content)


def chapters_found(request: HttpRequest, words: str) -> Hits:
    found = [(file, title) for file, title in chapters().items() if named(words, title)]
    return Hits("Help", "help", [Hit(title, help_url(file)) for file, title in found], help_url())


def _page(request: HttpRequest, title: str, **shown: Any) -> TemplateResponse:
    request.current_app = admin.site.name
    context = {**admin.site.each_context(request), "title": title, **shown}
    return TemplateResponse(request, "contacts_app/core/help.html", context)
