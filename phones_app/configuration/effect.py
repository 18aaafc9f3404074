"""What a change would do before it is saved: of how many phones the file changes, with some of them as examples."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from django.db.models import QuerySet

from contacts_app.core.errors import Refusal
from contacts_app.core.lists.among import among
from phones_app.configuration.changes import phones_of_layer, phones_of_layers, phones_of_layouts, phones_of_template
from phones_app.configuration.gather import Gathered, hidden, layers_of
from phones_app.configuration.layer_rows import Instead
from phones_app.configuration.models import Layer, PhoneConfiguration
from phones_app.configuration.rendering import BATCH, render_gathered
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.models import KeyLayout, Line, PhoneTemplate
from profiles_app.phone.rendering.values import Effective, merge

# Somebody waits for the answer, and a web server serves others meanwhile: then no further batch of phones is looked at.
MOST_SECONDS = 20


class Example(NamedTuple):
    """One phone of which the file changes; the unified difference is masked. `trouble`: why there would be no file."""

    phone: Phone
    diff: str
    trouble: str = ""


@dataclass
class FileEffect:
    """`number` phones get another file, or none any more, as `broken` of them, of `looked_at` that the change concerns.
    It concerns `unseen` more, where there are too many to look at all of them.
    """

    number: int = 0
    broken: int = 0
    looked_at: int = 0
    unseen: int = 0
    examples: list[Example] = field(default_factory=list)

    @property
    def is_nothing(self) -> bool:
        """No file changes, as far as every phone in question was looked at."""
        return not self.number and not self.unseen


def what_changes(
    layer: Layer, new: Layer, *, lines: Sequence[Line] | None = None, limit: int = 3, reveal: bool = False
) -> FileEffect:
    """What saving `new`, which is not stored, in place of `layer` does. A new layer is both.

    `lines` are those that the layer is to have; None: as they are. `reveal`: the examples are made with secrets, which
    their differences mask where they stand in their own elements.
    """
    return _changed(phones_of_layer(layer), Instead(layer=new, lines=lines), limit, reveal)


def what_deleting_changes(layers: Sequence[Layer], *, limit: int = 3, reveal: bool = False) -> FileEffect:
    """What deleting these layers together does, so that weaker ones count."""
    instead = Instead(no_layers=frozenset(layer.pk for layer in layers))
    return _changed(phones_of_layers(layers), instead, limit, reveal)


def what_changes_template(template: PhoneTemplate, text: str, *, limit: int = 3, reveal: bool = False) -> FileEffect:
    """What another text of a template does."""
    new = PhoneTemplate(
        pk=template.pk, uuid=template.uuid, account_id=template.account_id, name=template.name, text=text
    )
    return _changed(phones_of_template(template), Instead(template=new), limit, reveal)


def what_changes_layout(
    layout: KeyLayout, keys: list[dict[str, object]], modules: list[str], *, limit: int = 3, reveal: bool = False
) -> FileEffect:
    """What other keys of a layout do."""
    new = KeyLayout(pk=layout.pk, uuid=layout.uuid, account_id=layout.account_id, keys=keys, modules=modules)
    return _changed(phones_of_layouts([layout]), Instead(layout=new), limit, reveal)


def what_deleting_layouts_changes(layouts: Sequence[KeyLayout], *, limit: int = 3, reveal: bool = False) -> FileEffect:
    """What deleting these key layouts together does, so that the layouts of weaker layers count."""
    instead = Instead(no_layouts=frozenset(layout.pk for layout in layouts))
    return _changed(phones_of_layouts(layouts), instead, limit, reveal)


def _changed(phones: "QuerySet[Phone]", instead: Instead, limit: int, reveal: bool) -> FileEffect:
    found = FileEffect()
    show: Callable[[Gathered], Gathered] = (lambda each: each) if reveal else hidden
    deadline = time.monotonic() + MOST_SECONDS
    for batch in _batches(phones):
        known = _digests_of(batch)
        unknown = [phone for phone in batch if phone.pk not in known]
        before, after = layers_of(unknown) if unknown else {}, layers_of(batch, instead=instead)
        found.looked_at += len(batch)
        for phone in batch:
            old, new = before.get(phone.pk), after[phone.pk]
            if old is not None and same_parts(old, new):
                continue
            content, trouble = _made(new)
            was = known.get(phone.pk) or _digest(_made(old)[0] if old else b"")
            if content and _digest(content) == was:
                continue
            found.number += 1
            found.broken += not content
            if len(found.examples) < limit:
                old = old or layers_of([phone])[phone.pk]
                shown = (_made(show(each))[0] for each in (old, new))
                found.examples.append(Example(phone, sep.diff(*shown) if content else "", trouble))
        if time.monotonic() > deadline:
            found.unseen = phones.filter(pk__gt=batch[-1].pk).count()
            break
    return found


def _digests_of(phones: Sequence[Phone]) -> dict[int, str]:
    """Of the files that these phones should run now, where that has been worked out."""
    rows = PhoneConfiguration.objects.filter(phone__in=among([phone.pk for phone in phones]), due_at=None)
    return dict(rows.exclude(sha256="").values_list("phone", "sha256"))


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _batches(phones: "QuerySet[Phone]") -> Iterator[list[Phone]]:
    """In the order of their keys, so many at a time."""
    rows = phones.order_by("pk").defer("web_password", "description")
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        last = batch[-1].pk
        yield batch


def same_parts(old: Gathered, new: Gathered) -> bool:
    """Whether nothing that a file could be made from differs, which is known without making it."""
    if (old.text, old.lines, old.keys, old.device) != (new.text, new.lines, new.keys, new.device):
        return False
    if [layer.fragments for layer in old.layers if layer.fragments] != [
        layer.fragments for layer in new.layers if layer.fragments
    ]:
        return False
    return _values(merge(old.layers)) == _values(merge(new.layers))


def _values(merged: dict[str, Effective]) -> dict[str, str]:
    return {name: value.value for name, value in merged.items()}


def _made(gathered: Gathered) -> tuple[bytes, str]:
    """The file, or why there is none."""
    try:
        return render_gathered(gathered).content, ""
    except Refusal as refusal:
        return b"", refusal.message
