"""Loaded by pytest before Django reads its settings: a data folder of the run's own, and Celery carried out in place."""

import atexit
import gc
import os
import shutil
import sys
import tempfile

from hypothesis import HealthCheck, settings

from config.environment import prepare

# Images of containers often forbid it; then each of some hundred processes compiles all that it imports, which is more
# than half of the time of its start.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
os.environ["DATA_DIR"] = tempfile.mkdtemp(prefix="patchbay-test-")
atexit.register(shutil.rmtree, os.environ["DATA_DIR"], ignore_errors=True)
prepare()
# Servers that tests start run as users of their own, and read what tests write.
os.umask(0o022)
os.environ["CELERY_TASK_ALWAYS_EAGER"] = "1"
# Processes that tests start get a real broker (tests/processes.py).
os.environ.setdefault("CELERY_BROKER_URL", "memory://")
os.environ.setdefault("LOG_LEVEL", "ERROR")
# Where the peers of the tests are.
os.environ.setdefault("PHONE_NETWORKS", "127.0.0.0/8, ::1/128")
# A busy machine draws examples slowly; that says nothing of what is tested.
settings.register_profile("patchbay", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patchbay")
# Playwright's event loop runs in the thread of the test that uses it.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"


def pytest_addoption() -> None:
    """Asked before anything else is loaded, in each process of pytest: until all tests are known nothing becomes garbage,
    and looking for some is a fourth of the time of loading them (on again in tests/conftest.py).
    """
    gc.disable()
