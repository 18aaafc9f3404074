"""Each test has its contents in a folder of its own."""

import pytest


@pytest.fixture(autouse=True)
def contents(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"
