"""The documentation site: `make docs` makes it of these pages, for a web server or for a browser on the folder itself.

What a page needs comes from the site itself: no font, style or script from elsewhere. A link to nothing, and a page
outside of the navigation, end the build (`-W`).
"""

from pathlib import Path

from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
project = "Patchbay"
author = "The Patchbay developers"
html_title = "Patchbay"
extensions = ["myst_parser"]
exclude_patterns = ["_site"]
source_suffix = {".md": "markdown"}
nitpicky = True
highlight_language = "none"
suppress_warnings = ["misc.highlighting_failure"]  # JSON with … in it is still coloured
myst_heading_anchors = 4  # the anchors that the same headings have in the repository's browser
myst_linkify_fuzzy_links = False

html_theme = "furo"
html_theme_options = {"navigation_with_keys": True, "top_of_page_buttons": []}
html_favicon = str(HERE.parent / "static/patchbay/icon.svg")
html_copy_source = False
html_show_sourcelink = False
html_show_copyright = False
html_show_sphinx = False

# What pages link to beside this folder, and a folder is: pages of the site have it.
ELSEWHERE = {
    "../CONTRIBUTING.md": "contributing.md",
    "../THREAT_MODEL.md": "threat-model.md",
    "../SECURITY.md": "security.md",
    "../CHANGELOG.md": "changelog.md",
    "deploy/)": "deploy.md)",
    "deploy/systemd)": "deploy.md#systemd)",
    "deploy/proxy)": "deploy.md#proxy)",
}


def link_to_pages(app: Sphinx, docname: str, source: list[str]) -> None:
    up = "../" * docname.count("/")
    for written, page in ELSEWHERE.items():
        source[0] = source[0].replace(f"]({up}{written}", f"]({up}{page}")


def move_out_of_the_root(app: Sphinx, path: Path, docname: str, source: list[str]) -> None:
    """Pages that stand above this folder name those in it by their way from there, and one another."""
    source[0] = source[0].replace("](docs/", "](")
    for written, page in ELSEWHERE.items():
        source[0] = source[0].replace(f"]({written.removeprefix('../')}", f"]({page}")


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("source-read", link_to_pages)
    app.connect("include-read", move_out_of_the_root)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
