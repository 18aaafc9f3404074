"""Each test has the files of its firmware in a folder of its own."""

from tests.phones_app.shared_files.conftest import contents

__all__ = ["contents"]
