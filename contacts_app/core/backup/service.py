"""Backing up the whole installation and restoring it into an empty folder and an empty database, of either kind."""

from collections.abc import Callable, Iterator
from pathlib import Path

from django.apps import apps
from django.core.management import call_command
from django.db import connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from contacts_app.core.backup.archive import ArchiveReader, ArchiveWriter, files_below
from contacts_app.core.backup.keys import check_keys, proof
from contacts_app.core.backup.rows import (
    StoredTable,
    continue_numbering,
    empty,
    load_rows,
    read_rows,
    snapshot,
    stored_tables,
)
from contacts_app.core.errors import Refusal
from contacts_app.core.migrating import ExecutorOnDemand
from contacts_app.core.schema import schema_difference

Node = tuple[str, str]
Tell = Callable[[str, float], None]
# Folders that belong to the installation: their name in the backup, and where they are.
_folders: dict[str, Callable[[], Path]] = {}
# What is done after a restore, in its transaction.
_after: list[Callable[[], object]] = []


def register(*, folders: dict[str, Callable[[], Path]], after_restore: Callable[[], object]) -> None:
    """Add what an app keeps beside the database, and what it does before its restored rows are worked on."""
    _folders.update(folders)
    _after.append(after_restore)


def back_up(path: Path, tell: Tell) -> dict[str, int]:
    """Write everything but the keys to `path`; how many rows and files.

    The database first: a file that is uploaded meanwhile is newer than its row, which the drift check tells after a
    restore. The other way round an older file would be put over what the phone has.
    """
    if difference := str(schema_difference()):
        raise Refusal("schema", f"The database's schema is not that of this version: {difference}.")
    tables = stored_tables()
    with ArchiveWriter(path) as archive:
        with snapshot():
            made_at, counts = timezone.now(), {}
            for number, table in enumerate(tables):
                tell(table.name, number / len(tables))
                counts[table.name] = archive.add_table(table.name, read_rows(table))
            applied = sorted(MigrationExecutor(connection).loader.applied_migrations)
        files = {name: archive.add_folder(name, where()) for name, where in _folders.items()}
        archive.finish(
            {
                "made_at": made_at.isoformat(),
                "database": connection.vendor,
                "migrations": applied,
                "tables": [{"name": name, "columns": columns, "rows": counts[name]} for name, columns in tables],
                "files": files,
                "keys": proof(),
            }
        )
    return {"rows": sum(counts.values()), "files": sum(files.values())}


class Restore:
    """One backup on its way into this installation. Made, it is checked: nothing has been written yet."""

    def __init__(self, path: Path) -> None:
        self._archive = ArchiveReader(path)
        self.manifest = self._archive.manifest
        self._tables = [StoredTable(each["name"], each["columns"]) for each in self.manifest["tables"]]
        self.rows = sum(each["rows"] for each in self.manifest["tables"])
        self.files = sum(self.manifest["files"].values())

    def check(self) -> None:
        """Raises Refusal unless it can be restored here."""
        check_keys(self.manifest["keys"])
        list(self.targets(MigrationExecutor(connection)))
        for where in _folders.values():
            if next(files_below(where()), None) is not None:
                raise Refusal("not-empty", f"{where()} is not empty: take another DATA_DIR.")
        if found := connection.introspection.table_names():
            raise Refusal("not-empty", f"The database is not empty: it has {len(found)} tables. Take a new one.")

    def run(self, tell: Tell) -> None:
        self._make_tables()
        with transaction.atomic():
            empty(self._tables)
            done = 0
            for table, told in zip(self._tables, self.manifest["tables"], strict=True):
                tell(table.name, done / (self.rows or 1))
                loaded = load_rows(table, self._archive.lines(table.name))
                if loaded != told["rows"]:
                    raise Refusal("not-a-backup", f"{loaded} instead of {told['rows']} rows of {table.name}.")
                done += loaded
            continue_numbering(self._tables)
        call_command("migrate", verbosity=0, interactive=False)
        with transaction.atomic():
            for act in _after:
                act()
        for name, where in _folders.items():
            where().mkdir(parents=True, exist_ok=True)
            self._archive.extract_folder(name, where())

    def _make_tables(self) -> None:
        """Those of the backup's version.

        Not by the command, after which apps write their default rows: the backup has those of its time. The tables of
        this version are what its models say, and made from them in a tenth of the time that its migrations take.
        """
        executor = ExecutorOnDemand(connection)
        targets = list(self.targets(executor))
        if set(targets) != set(executor.loader.graph.leaf_nodes()):
            executor.migrate(targets)
            return
        with connection.schema_editor() as editor:
            for model in apps.get_models():
                if model._meta.managed and not model._meta.proxy:
                    editor.create_model(model)
        executor.recorder.ensure_schema()
        for app, name in executor.loader.graph.nodes:
            executor.recorder.record_applied(app, name)

    def targets(self, executor: MigrationExecutor) -> Iterator[Node]:
        """The last migrations of the backup, one for each app; Refusal when this version does not know them."""
        graph = executor.loader.graph
        applied: set[Node] = {
            (app, name) for app, name in self.manifest["migrations"] if app in executor.loader.migrated_apps
        }
        known = set(executor.loader.disk_migrations)
        if unknown := sorted(applied - known):
            names = ", ".join(".".join(node) for node in unknown[:3])
            raise Refusal(
                "newer-version", f"The backup is of a newer version, which has {names}. Install that version."
            )
        for node in sorted(applied & set(graph.nodes)):
            followers = {child.key for child in graph.node_map[node].children if child.key[0] == node[0]}
            if not followers & applied:
                yield node
