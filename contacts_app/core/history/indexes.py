"""The operation of migrations that gives historical tables the indexes of the change log (`Tracked.get_meta_options`).

Django's own operations are about one index of one model each, and let every model that has to do with people be made
anew after each of them: for two hundred of them a migration would take minutes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

ORDER = ["history_date", "history_id"]


class IndexHistory(Operation):
    """`plain` names historical models, `of_accounts` those whose rows say whose they are."""

    def __init__(self, plain: Sequence[str], of_accounts: Sequence[str] = ()) -> None:
        self.plain, self.of_accounts = plain, of_accounts

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        for name in self._names():
            model = state.models[app_label, name]
            model.options["indexes"] = [*model.options.get("indexes", []), *self._indexes(name)]
            model.fields["history_user"] = _without_index(model.fields["history_user"])
        if "apps" in vars(state):
            state.reload_models([(app_label, name) for name in self._names()], delay=False)

    def database_forwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for name, old, new in self._models(app_label, from_state, to_state):
            schema_editor.alter_field(old, _user(old), _user(new))
            for index in self._indexes(name):
                schema_editor.add_index(new, index)

    def database_backwards(
        self, app_label: str, schema_editor: BaseDatabaseSchemaEditor, from_state: ProjectState, to_state: ProjectState
    ) -> None:
        for name, old, new in self._models(app_label, from_state, to_state):
            for index in self._indexes(name):
                schema_editor.remove_index(old, index)
            schema_editor.alter_field(old, _user(old), _user(new))

    def describe(self) -> str:
        return "Index historical tables by time, person and account"

    def _names(self) -> list[str]:
        return [*self.plain, *self.of_accounts]

    def _indexes(self, name: str) -> list[models.Index]:
        short = name.removeprefix("historical")[:20]
        columns = {"when": [], "who": ["history_user"], "whose": ["account"]}
        wanted = ("when", "who", "whose") if name in self.of_accounts else ("when", "who")
        return [models.Index(fields=[*columns[which], *ORDER], name=f"{short}_{which}") for which in wanted]

    def _models(
        self, app_label: str, before: ProjectState, after: ProjectState
    ) -> Iterator[tuple[str, type[models.Model], type[models.Model]]]:
        for name in self._names():
            yield name, before.apps.get_model(app_label, name), after.apps.get_model(app_label, name)


def _user(model: type[models.Model]) -> Any:
    return model._meta.get_field("history_user")


def _without_index(field: Any) -> Any:
    copy = field.clone()
    copy.db_index = False
    return copy
