"""Members of a body that nothing reads are refused: left out in silence, a misspelt one would mean something else.

What an answer shows may be sent back, so that a record can be read, edited and written (phone profiles spec §3); of that
the members that only the server says change nothing. A dialect words the refusal as it words any wrong field.
"""

from collections.abc import Collection, Mapping
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from contacts_app.core.errors import LONGEST_NAME, MOST_NAMED, UNKNOWN


def refuse_unknown(body: Any, sent: Any, *, record: Any = None) -> None:
    """ValidationError for members of `sent` that neither the serializer `body` nor `record`, the answer's, has.

    `body.also_takes` are further names that it reads before its fields do.
    """
    if wrong := _unknown(body, sent, record.fields if record is not None else ()):
        raise ValidationError(wrong)


def _unknown(body: object, sent: object, shown: Collection[str] = ()) -> Any:
    if isinstance(body, serializers.ListSerializer | serializers.ListField):
        each = [_unknown(body.child, one) for one in sent] if isinstance(sent, list) else []
        return each if any(each) else None
    if not isinstance(body, serializers.Serializer) or not isinstance(sent, Mapping):
        return None
    fields = body.fields
    known = {*fields, *shown, *getattr(body, "also_takes", ())}
    names = [name for name in sent if name not in known]
    wrong: dict[str, Any] = {str(name)[:LONGEST_NAME]: [UNKNOWN] for name in names[:MOST_NAMED]}
    for name in filter(sent.__contains__, fields.keys()):
        if not fields[name].read_only and (within := _unknown(fields[name], sent[name])):
            wrong[name] = within
    return wrong
