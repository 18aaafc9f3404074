"""docs/seeds.md: what each sentence of the providers' documents is done by, and which test shows it."""

import re

import pytest
from django.conf import settings

TEXT = (settings.BASE_DIR / "docs" / "seeds.md").read_text()
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| place")]
DOCUMENTS = ("000", "001", "002", "003", "004")


def test_every_document_has_its_table():
    assert tuple(re.findall(r"^## (\d{3}) ", TEXT, re.MULTILINE)) == DOCUMENTS
    assert len(ROWS) > 80


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_every_path_and_test_that_a_row_names_is_there(row):
    place, words, done_by, shown_by = (cell.strip() for cell in row.strip("|").split(" | "))
    assert place
    assert words
    for path in re.findall(r"`([\w/.]+/[\w/.]*)`", done_by):
        assert (settings.BASE_DIR / path).exists(), path
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", shown_by)
    assert named or shown_by.startswith("not done"), shown_by
    for path, name in named:
        assert re.search(rf"^def {name}\(", (settings.BASE_DIR / path).read_text(), re.MULTILINE), f"{path}::{name}"
