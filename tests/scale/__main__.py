"""`python -m tests.scale`: docs/scale.md with every figure made anew, and its pictures; some three minutes.

`--models` keeps the measured bytes, `--page` only renders the page from docs/scale.json. SCALE_PHONES says how many
phones are written into the database.
"""

import os
import sys

import tests.environment  # noqa: F401 - before Django reads its settings
from tests.scale import figures, page


def main(arguments: list[str]) -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    if arguments == ["--page"]:
        found = figures.kept()
    else:
        found = figures.with_models(figures.kept()) if arguments == ["--models"] else figures.made()
    page.PAGE.write_text(page.rendered(found))


if __name__ == "__main__":
    main(sys.argv[1:])
