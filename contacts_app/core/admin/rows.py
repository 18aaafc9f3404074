"""A table in a form: one field whose value is a list of rows, each a dictionary of what its boxes say.

Boxes are named `<field>-<row>-<column>`, where `<row>` only tells rows apart. The rows keep the order in which the
browser sends them, which is that of the page: a script moves a row by moving its element.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.template.loader import render_to_string
from django.utils.datastructures import MultiValueDict
from django.utils.safestring import SafeString

Row = dict[str, str]


def posted_rows(posted: "MultiValueDict[str, str] | Mapping[str, str]", name: str) -> list[Row]:
    """The rows of one field, `#` of each being the name of the row; a row with nothing in it is left out by who reads.

    No browser sends a NUL, and no database takes one.
    """
    rows: dict[str, Row] = {}
    start = f"{name}-"
    for box in posted:
        row, found, column = box.removeprefix(start).partition("-")
        if found and box.startswith(start):
            rows.setdefault(row, {"#": row})[column] = str(posted[box]).replace("\0", "")
    return list(rows.values())


class RowsWidget(forms.Widget):
    """Draws the rows with a template of its own, which gets them as `rows` and whatever is in `more`."""

    # Each box has a name of its own for those who hear the page.
    use_fieldset = True

    template_name: str

    def __init__(self, template_name: str, attrs: dict[str, object] | None = None) -> None:
        super().__init__(attrs)
        self.template_name = template_name
        self.more: dict[str, object] = {}

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[Row]:
        return posted_rows(data, name)

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        # No box at all is a table without rows.
        return False

    def id_for_label(self, id_: str, index: str | None = None) -> str:
        return ""

    def get_context(self, name: str, value: object, attrs: dict[str, object] | None) -> dict[str, object]:
        rows = list(value) if isinstance(value, list | tuple) else []
        return super().get_context(name, None, attrs) | self.more | {"name": name, "rows": rows}

    def render(
        self, name: str, value: Any, attrs: dict[str, object] | None = None, renderer: object = None
    ) -> SafeString:
        # Django draws widgets with templates of its own, and these are the site's.
        return SafeString(render_to_string(self.template_name, self.get_context(name, value, attrs)))


class RowsField(forms.Field):
    """Takes a list of rows; subclasses say in `clean` what they are good for."""

    widget: RowsWidget

    template_name: str

    def __init__(self, template_name: str, **kwargs: Any) -> None:
        super().__init__(required=False, widget=RowsWidget(template_name), **kwargs)

    def has_changed(self, initial: Any, data: Any) -> bool:
        # What the rows come to is compared by the form that knows what they mean.
        return True


def filled(rows: Iterable[Row], *columns: str) -> list[Row]:
    """The rows in which one of these columns says something."""
    return [row for row in rows if any(row.get(column, "").strip() for column in columns)]
