"""What became of each file of a folder that is adopted, and how much was made of all of them."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from contacts_app.core.counted import counted
from profiles_app.phone.sep.catalogue import colons


class AdoptResult(StrEnum):
    ADOPTED = "adopted"
    UNCHANGED = "unchanged"
    KEPT = "kept as a file"
    REFUSED = "refused"
    IGNORED = "ignored"


@dataclass
class AdoptedFile:
    """One file. `code`, `line` and `reason` say why it was not adopted."""

    file: str
    outcome: AdoptResult
    mac: str = ""
    template: str = ""
    code: str = ""
    line: int | None = None
    reason: str = ""

    @property
    def phone(self) -> str:
        return colons(self.mac) if self.mac else ""


@dataclass
class Adoption:
    """All files, in the order in which they came, and numbers of what is new because of them."""

    files: list[AdoptedFile] = field(default_factory=list)
    templates: int = 0
    layers: Counter[str] = field(default_factory=Counter)  # by kind
    lines: int = 0
    phones: int = 0
    dry_run: bool = False

    @property
    def outcomes(self) -> Counter[AdoptResult]:
        return Counter(file.outcome for file in self.files)

    @property
    def sentence(self) -> str:
        """Such as "512 files → 6 templates, 1 account layer, 498 phones identical, 14 kept as files"."""
        return f"{counted(len(self.files), 'file')} → {', '.join(self._parts())}"

    def _parts(self) -> Iterator[str]:
        found = self.outcomes
        yield counted(self.templates, "template")
        for kind in ("account", "location", "model", "profile"):
            if self.layers[kind]:
                yield counted(self.layers[kind], f"{kind} layer")
        if self.lines:
            yield counted(self.lines, "new line")
        if self.phones:
            yield counted(self.phones, "new phone")
        yield f"{counted(found[AdoptResult.ADOPTED], 'phone')} identical"
        for outcome, words in (
            (AdoptResult.UNCHANGED, "unchanged"),
            (AdoptResult.KEPT, "kept as files"),
            (AdoptResult.REFUSED, "refused"),
            (AdoptResult.IGNORED, "ignored"),
        ):
            if found[outcome]:
                yield f"{found[outcome]} {words}"
