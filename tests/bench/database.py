"""A database of its own for a benchmark: SQLite, or on the server that DATABASE_URL names."""

from collections.abc import Callable, Iterator


def on_test_database(measure: Callable[[], Iterator[tuple[str, str]]]) -> Iterator[tuple[str, str]]:
    import django
    from django.conf import settings
    from django.test.utils import get_runner, setup_test_environment, teardown_test_environment

    django.setup()
    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    databases = runner.setup_databases()
    try:
        yield from measure()
    finally:
        runner.teardown_databases(databases)
        teardown_test_environment()
