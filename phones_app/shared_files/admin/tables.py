"""The tables of the editors: rules of a dial template, and soft keys by the states of a call."""

from collections.abc import Callable, Mapping, Sequence

from django import forms

from contacts_app.core.admin.rows import Row, RowsField, filled
from profiles_app.phone.companions.dial_template import (
    MOST_TONES,
    ROUTES,
    TONES,
    USERS,
    DialRule,
    DialTemplate,
    dial_rule,
    read_dial_template,
    write_dial_template,
)
from profiles_app.phone.companions.reading import Unreadable
from profiles_app.phone.companions.soft_keys import (
    EMPTY,
    KeySets,
    faults_of,
    read_soft_keys,
    soft_key_states,
    soft_keys,
    usual_sets,
    version_of,
    write_soft_keys,
)

# For who fills the table in without scripts.
SPARE_ROWS = 4
MOST_ROWS = 400
_COLUMNS = ("match", "timeout", "rewrite", "line", "user", "route", "tones", "remark")


class FileTable(RowsField):
    """A whole file of one kind as rows of boxes. What is cleaned is the file's content."""

    kind: str

    def rows_of(self, content: bytes) -> Sequence[Mapping[str, object]] | None:
        """None: the file says something that the table has no box for, so that its text is to be edited."""
        raise NotImplementedError

    def content_for(self, rows: list[Row], before: bytes) -> bytes:
        """What the rows are as a file; `before` is the present one. Raises ValidationError."""
        raise NotImplementedError


class DialRulesField(FileTable):
    kind = "dial-template"

    def __init__(self) -> None:
        super().__init__("phones_app/shared_files/dial_rules.html", label="Rules")
        self.widget.more = {"users": USERS, "routes": ROUTES, "tones": TONES, "spares": range(SPARE_ROWS)}

    def rows_of(self, content: bytes) -> Sequence[Mapping[str, object]] | None:
        try:
            template, findings = read_dial_template(content)
        except Unreadable:
            return None
        if findings:
            return None
        return [
            {
                **{name: getattr(rule, name) for name in _COLUMNS},
                "timeout": "" if rule.timeout is None else rule.timeout,
                "line": rule.line or "",
                "tones": ", ".join(rule.tones),
            }
            for rule in template.rules
        ]

    def content_for(self, rows: list[Row], before: bytes) -> bytes:
        errors, rules = list[str](), list[DialRule]()
        given = [row for row in filled(rows, *_COLUMNS) if not row.get("remove")]
        for number, row in enumerate(given[:MOST_ROWS], 1):
            tones = [tone.strip() for tone in row.get("tones", "").split(",", MOST_TONES)]
            try:
                rules.append(
                    dial_rule(
                        row.get("match", "").strip(),
                        timeout=row.get("timeout", "").strip(),
                        line=row.get("line", "").strip(),
                        user=row.get("user", ""),
                        rewrite=row.get("rewrite", "").strip(),
                        route=row.get("route", ""),
                        tones=tones if any(tones) else (),
                        remark=" ".join(row.get("remark", "").split())[:200],
                    )
                )
            except ValueError as wrong:
                errors.append(f"Rule {number}: {wrong}.")
        if errors:
            raise forms.ValidationError(errors)
        try:
            version = read_dial_template(before)[0].version if before else ""
        except Unreadable:
            version = ""
        return write_dial_template(DialTemplate(tuple(rules), version))


class SoftKeysField(FileTable):
    kind = "soft-keys"

    def __init__(self) -> None:
        super().__init__("phones_app/shared_files/soft_keys.html", label="Soft keys")
        self.widget.more = {"spares": range(SPARE_ROWS)}

    def rows_of(self, content: bytes) -> Sequence[Mapping[str, object]] | None:
        try:
            sets = read_soft_keys(content) if content else usual_sets()
        except Unreadable:
            return None
        keys = {key for each in sets.values() for key in each}
        if not (set(sets) <= set(soft_key_states()) and keys <= set(soft_keys())) or b"<!--" in content:
            return None
        return self.shown(sets)

    def shown(self, sets: KeySets) -> Sequence[Mapping[str, object]]:
        """A section for each state, with its keys and those that can be chosen."""
        return [
            {
                "state": state,
                "place": place,
                "choices": [soft_keys()[name] for name in (*state.takes, EMPTY)],
                "keys": list(enumerate(sets.get(state.id, []))),
            }
            for place, state in enumerate(soft_key_states().values())
        ]

    def prepare_value(self, value: object) -> object:
        """Typed rows come back as the sections that they were typed into."""
        if isinstance(value, list) and value and "state" not in value[0]:
            return self.shown(self._sets(value))
        return value if value else self.shown({})

    def _sets(self, rows: list[Row]) -> KeySets:
        sets: KeySets = {state: [] for state in soft_key_states()}
        states = list(sets)
        for row in rows:
            place, key = row["#"].partition(".")[0], row.get("key")
            if key and not row.get("remove") and place in map(str, range(len(states))):
                sets[states[int(place)]].append(key)
        return sets

    def content_for(self, rows: list[Row], before: bytes) -> bytes:
        sets = self._sets(rows)
        errors = [text for state, keys in sets.items() if keys for _code, text in faults_of(state, keys)]
        if errors:
            raise forms.ValidationError(errors)
        return write_soft_keys({state: keys for state, keys in sets.items() if keys}, version_of(before))


TABLES: dict[str, Callable[[], FileTable]] = {table.kind: table for table in (DialRulesField, SoftKeysField)}
