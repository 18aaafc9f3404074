"""`manage.py migrate` as Django has it, in a third of the time (contacts_app/core/migrating.py)."""

from django.core.management.commands import migrate

from contacts_app.core.migrating import ExecutorOnDemand

# The command takes it from nowhere else.
migrate.MigrationExecutor = ExecutorOnDemand  # type: ignore[attr-defined]


class Command(migrate.Command):
    pass
