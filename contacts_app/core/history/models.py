"""History: what every model that a person can change declares as `history = Tracked()`.

django-simple-history keeps a table per model with a row for each change. `Tracked` adds who, how and why
(`authorship`), what changed (before and after, as people read it), and that no secret and no tick of a
counter gets there. A historical row names nothing by a constraint, so that it outlives its record and its account.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from operator import attrgetter
from typing import Any

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from simple_history.models import HistoricalRecords

from contacts_app.core.history.authorship import REASON_LENGTH, current_author, recorded
from contacts_app.core.history.saving import Former, Saving
from contacts_app.core.lists.insert import insert_many, insert_one
from contacts_app.core.secrets import EncryptedBinaryField, EncryptedTextField

# What stands in place of a secret: that it changed can be told, what it was cannot.
MASK = "********"
NAME_LENGTH = 255
# So many rows are written at once.
TOGETHER = 500
# Of many records that were linked at once so many are named.
NAMED = 20

Changes = dict[str, list[Any]]


class HistoryRow(models.Model):
    """What the historical row of every model has beside the library's columns."""

    history_name = models.CharField(max_length=NAME_LENGTH, help_text="What the record was called.")
    history_actor = models.CharField(max_length=255)
    history_channel = models.CharField(max_length=16)
    history_request_id = models.CharField(max_length=64, blank=True)
    history_changes = models.JSONField(
        default=dict, encoder=DjangoJSONEncoder, help_text="Field: before and after; secrets masked."
    )

    class Meta:
        abstract = True


class Tracked(HistoricalRecords):  # type: ignore[misc]
    """The history of one model.

    `secret` fields are recorded as changed and never stored; encrypted ones are secret without being named.
    `quiet` fields are what the system counts or notes by itself: they are no news. `links` are many-to-many fields.
    `part_of` leads to the record in whose history these rows are shown too.
    """

    def __init__(
        self, *, secret: Iterable[str] = (), quiet: Iterable[str] = (), links: Iterable[str] = (), part_of: str = ""
    ) -> None:
        self.secret, self.quiet, self.links, self.part_of = set(secret), set(quiet), tuple(links), part_of
        self.columns: tuple[str, ...] = ()
        # The same, as a row calls the values that its historical rows take over.
        self.copied: list[str] = []
        self.kept_in: Any = None
        # What of a row is recorded when it changes.
        self.told: frozenset[str] = frozenset()
        super().__init__(
            bases=[HistoryRow],
            history_id_field=models.BigAutoField(),
            history_change_reason_field=models.CharField(max_length=REASON_LENGTH, blank=True),
            user_db_constraint=False,
        )

    def finalize(self, sender: Any, **kwargs: object) -> None:
        if self.cls is not sender:
            return
        fields = sender._meta.local_concrete_fields
        self.secret |= {field.name for field in fields if isinstance(field, EncryptedTextField | EncryptedBinaryField)}
        # When a record was made and changed is what the historical rows themselves say.
        dated = {
            field.name for field in fields if getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False)
        }
        self.excluded_fields = [*self.secret, *self.quiet, *dated]
        self.columns = tuple(field.name for field in fields if field.name not in self.excluded_fields)
        self.copied = [field.attname for field in fields if field.name not in self.excluded_fields]
        self.told = frozenset({*self.columns, *self.secret})
        # The indexes below are all that is read by.
        self.no_db_index = [name for field in fields for name in (field.name, field.attname)]
        super().finalize(sender, **kwargs)
        # The library's own descriptor makes a class of managers whenever it is asked, which takes longer than the row.
        self.kept_in = vars(sender)[self.manager_name].model
        tracked_models[sender] = self
        self.saving = Saving(sender)
        models.signals.pre_save.connect(self.pre_save, sender=sender, weak=False)
        for name in self.links:
            models.signals.m2m_changed.connect(
                partial(self.link_changed, name), sender=sender._meta.get_field(name).remote_field.through, weak=False
            )

    def get_extra_fields(self, model: type[models.Model], fields: object) -> dict[str, Any]:
        extra: dict[str, Any] = super().get_extra_fields(model, fields)
        # An index below begins with it.
        extra["history_user"].db_index = False
        return extra

    def get_meta_options(self, model: type[models.Model]) -> dict[str, object]:
        """Read by record, and by deletion: what is gone can be found by nothing else. The log of all changes is read by
        time, alone and for a person or an account; in this direction, new rows are added at the end of these indexes.
        """
        name = str(model._meta.model_name)[:20]
        indexes = [
            models.Index(fields=[model._meta.pk.attname, "-history_id"], name=f"{name}_history"),
            models.Index(fields=["-history_id"], condition=models.Q(history_type="-"), name=f"{name}_deleted"),
            models.Index(fields=["history_date", "history_id"], name=f"{name}_when"),
            models.Index(fields=["history_user", "history_date", "history_id"], name=f"{name}_who"),
        ]
        if "account" in self.columns:
            indexes.append(models.Index(fields=["account", "history_date", "history_id"], name=f"{name}_whose"))
        if self.part_of:
            indexes.append(models.Index(fields=[self.part_of, "-history_id"], name=f"{name}_parts"))
        options: dict[str, Any] = super().get_meta_options(model)
        return options | {"indexes": indexes, "ordering": ["-history_id"]}

    def pre_save(self, instance: Any, raw: bool, update_fields: Iterable[str] | None = None, **_: object) -> None:
        """Have told what the row says now, unless nothing of it can change that anybody wants to know."""
        vars(instance).pop("_former", None)
        if raw or instance._state.adding:
            return
        names = self.told - instance.get_deferred_fields()
        if update_fields is not None:
            names &= {field.name for field in named_fields(self.cls, update_fields)}
        if names:
            instance._former = Former(names)

    def post_save(self, instance: object, created: bool, using: object = None, **kwargs: object) -> None:
        former: Former | None = vars(instance).pop("_former", None)
        if created:
            super().post_save(instance, created, using=using, **kwargs)
        elif former and former.row and (changes := self.changes(former.row, instance, former.names)):
            insert_one(self.row(instance, "~", changes))

    def link_changed(
        self, field: str, instance: Any, action: str, reverse: bool, model: Any, pk_set: Any, **_: object
    ) -> None:
        """One row for what was added and one for what was removed, whichever side it was done from."""
        if action not in ("post_add", "post_remove", "pre_clear"):
            return
        if reverse:
            pairs = [(row, [instance], 1) for row in self.cls._base_manager.filter(pk__in=pk_set or ())]
        else:
            linked = getattr(instance, field).all() if action == "pre_clear" else None
            others = model._base_manager.filter(pk__in=pk_set) if linked is None else linked
            pairs = [(instance, list(others[:NAMED]), others.count())]
        for row, some, number in pairs:
            if number:
                names = ", ".join(sorted(map(str, some))) + (f" … {number} in all" if number > NAMED else "")
                change = [None, names] if action == "post_add" else [names, None]
                insert_one(self.row(row, "~", {field: change}))

    def create_historical_record(self, instance: object, history_type: str, using: object = None) -> None:
        row, waiting = self.row(instance, history_type, {}), _waiting.get()
        if waiting is None:
            insert_one(row)
            return
        rows = waiting.setdefault(type(row), [])
        rows.append(row)
        if len(rows) == TOGETHER:
            insert_many(rows)
            rows.clear()

    def rows_of_model(self) -> "models.QuerySet[Any]":
        """All of the model's historical rows, the newest first."""
        rows: models.QuerySet[Any] = self.kept_in._default_manager.all()
        return rows

    def row(self, instance: Any, history_type: str, changes: Changes) -> Any:
        """A historical row for the caller to store, and a signal to those who listen."""
        author = current_author()
        recorded.send(self.cls, instance=instance, change=history_type, changes=changes)
        return self.kept_in(
            history_date=timezone.now(),
            history_type=history_type,
            history_user_id=author.user_id,
            history_actor=author.label[:255],
            history_channel=author.channel,
            history_request_id=author.request_id,
            history_change_reason=author.reason,
            history_name=_name(instance),
            history_changes=changes,
            **dict(zip(self.copied, attrgetter(*self.copied)(instance), strict=True)),
        )

    def changes(self, before: Any, after: Any, names: Iterable[str]) -> Changes:
        """What differs between two states of a record, by field."""
        found: Changes = {}
        for field in self.cls._meta.local_concrete_fields:
            if field.name in names and (field.name in self.columns or field.name in self.secret):
                old, new = (_value(row, field) for row in (before, after))
                if old == new:
                    continue
                if field.name in self.secret:
                    found[field.name] = [MASK if value else None for value in (old, new)]
                else:
                    found[field.name] = [_shown(row, field) for row in (before, after)]
        return found


_waiting: ContextVar[dict[Any, list[Any]] | None] = ContextVar("waiting", default=None)


@contextmanager
def recorded_together() -> Iterator[None]:
    """Within a transaction that makes or deletes many records one by one: their history is written in batches."""
    waiting: dict[Any, list[Any]] = {}
    token = _waiting.set(waiting)
    try:
        yield
    finally:
        _waiting.reset(token)
    for rows in waiting.values():
        insert_many(rows)


tracked_models: dict[type[models.Model], Tracked] = {}


def named_fields(model: type[models.Model], names: Iterable[str]) -> list["models.Field[Any, Any]"]:
    """The fields that `update` or `update_fields` names, which take `account_id` for `account`."""
    wanted = set(names)
    return [field for field in model._meta.local_concrete_fields if wanted & {field.name, field.attname}]


def _name(instance: models.Model) -> str:
    try:
        return str(instance)[:NAME_LENGTH]
    except ObjectDoesNotExist:
        # It is called after something that was deleted together with it.
        return f"{instance._meta.verbose_name} {instance.pk}"


def _value(row: Any, field: Any) -> Any:
    value = getattr(row, field.attname)
    if isinstance(value, memoryview):
        return bytes(value)
    if value == "" and not field.empty_strings_allowed:
        # What a form leaves where nothing was typed, as in an address, is stored as NULL.
        return None
    try:
        # Before it was stored, a value may have been text where the column holds a number.
        return field.to_python(value)
    except (ValidationError, TypeError, ValueError):
        return value


def _shown(row: Any, field: Any) -> Any:
    """A value as people read it, by the name it has now: whatever it points to may be gone by then."""
    if field.is_relation:
        try:
            related = getattr(row, field.name)
        except ObjectDoesNotExist:
            return str(getattr(row, field.attname))
        return None if related is None else str(related)
    return _value(row, field)
