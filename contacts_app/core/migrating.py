"""Migrations whose models are made when an operation asks for them.

Between any two operations Django makes all models anew that are related to the one that was changed, however remotely:
in our tables that is nearly all of them, four hundred times. An operation on a table looks at one model, at those that it
refers to, and at those that refer to it. A migration of data may look at any: for it all models are made, as Django does.
"""

from collections.abc import Iterator
from typing import Any

from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import AppConfigStub, ModelState, ProjectState, StateApps
from django.db.migrations.utils import resolve_relation
from django.db.models import Field, Model
from django.utils.functional import cached_property

Key = tuple[str, str]


class AppsOnDemand(StateApps):
    """The registry of the models of one state."""

    def __init__(
        self, real_apps: set[str], states: dict[Key, ModelState], before: "StateOnDemand | None" = None
    ) -> None:
        # Django's types say a list; a state insists on a set.
        super().__init__(real_apps, {})  # type: ignore[arg-type]
        self.states, self.before = states, before
        self._is_whole: set[Key] = set()
        for label in {label for label, _ in states} - self.app_configs.keys():
            self.app_configs[label] = AppConfigStub(label)
            self.app_configs[label].apps = self
            self.app_configs[label].import_models()

    def get_model(self, app_label: str, model_name: str | None = None, require_ready: bool = True) -> type[Model]:
        if model_name is None:
            app_label, model_name = app_label.split(".")
        key = app_label, model_name.lower()
        if key in self.states and key not in self._is_whole:
            if self.before is not None and key in self.before.models:
                # Columns stand in the order in which their fields were made: new ones behind those that were there.
                self.before.apps.get_model(*key)
            self._make(key)
        return super().get_model(app_label, model_name, require_ready)

    def _make(self, key: Key) -> None:
        """The model, what refers to it, and whatever these refer to."""
        asked = {key, *self._referring(key)}
        needed: dict[Key, ModelState] = {}
        while asked:
            each = asked.pop()
            if each in self.states and each not in needed and each[1] not in self.all_models[each[0]]:
                needed[each] = self.states[each]
                asked.update(_referred(each, self.states[each]))
        self.render_multiple(list(needed.values()))
        self._is_whole.add(key)

    def _referring(self, key: Key) -> Iterator[Key]:
        for other, field in self._references.get(key, ()):
            yield other
            # Its key is that of the other one: if the type of this changes, so does that of what refers to it.
            if field.primary_key and other != key:
                yield from self._referring(other)

    @cached_property
    def _references(self) -> dict[Key, list[tuple[Key, "Field[Any, Any]"]]]:
        """By what is referred to."""
        found: dict[Key, list[tuple[Key, Field[Any, Any]]]] = {}
        for key, state in self.states.items():
            for field in state.fields.values():
                for other in _remote(key, field):
                    found.setdefault(other, []).append((key, field))
        return found


def _referred(key: Key, state: ModelState) -> Iterator[Key]:
    for field in state.fields.values():
        yield from _remote(key, field)
    for base in state.bases:
        if isinstance(base, str):
            yield resolve_relation(base, *key)


def _remote(key: Key, field: "Field[Any, Any]") -> Iterator[Key]:
    if relation := field.remote_field:
        yield resolve_relation(relation.model, *key)
        if through := getattr(relation, "through", None):
            yield resolve_relation(through, *key)


class StateOnDemand(ProjectState):
    """A state that forgets its models when one changes, instead of making those anew that have to do with it."""

    before: "StateOnDemand | None" = None

    @cached_property
    def apps(self) -> StateApps:
        return AppsOnDemand(self.real_apps, self.models, self.before)

    def clone(self) -> "StateOnDemand":
        """The clone is the state before the next operation, which asks for the models that are made already."""
        clone = StateOnDemand({key: state.clone() for key, state in self.models.items()}, self.real_apps)
        made = self.__dict__.pop("apps", None)
        if isinstance(made, AppsOnDemand):
            made.states, made.before = clone.models, None
            clone.__dict__["apps"] = made
        self.before = clone
        return clone

    def reload_model(self, app_label: str, model_name: str, delay: bool = False) -> None:
        self.__dict__.pop("apps", None)

    def reload_models(self, models: object, delay: bool = True) -> None:
        self.__dict__.pop("apps", None)

    def remove_model(self, app_label: str, model_name: str) -> None:
        self.__dict__.pop("apps", None)
        super().remove_model(app_label, model_name)

    def clear_delayed_apps_cache(self) -> None:
        """Django calls this before a migration of data, and at the end."""
        if isinstance(self.apps, AppsOnDemand):
            self.__dict__["apps"] = StateApps(self.real_apps, self.models)  # type: ignore[arg-type]


class ExecutorOnDemand(MigrationExecutor):
    """Forwards; the way back, which keeps all states at once, is Django's own."""

    is_forwards = True

    def _create_project_state(self, with_applied_migrations: bool = False) -> ProjectState:
        state: ProjectState = super()._create_project_state(with_applied_migrations)  # type: ignore[misc]
        return StateOnDemand(state.models, state.real_apps) if self.is_forwards else state

    def _migrate_all_backwards(self, plan: Any, full_plan: Any, fake: bool) -> ProjectState:
        self.is_forwards = False
        state: ProjectState = super()._migrate_all_backwards(plan, full_plan, fake)  # type: ignore[misc]
        return state
