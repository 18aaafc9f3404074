"""Rows of any model, as many as needed: a hundred made up from what its fields are, then copies made by PostgreSQL.

Without an index PostgreSQL reads the whole table however long that is, and the shorter it is, the sooner it does so
although there is one. So as many rows are enough with which the right index is taken.
"""

from datetime import timedelta

from django.core.validators import MinValueValidator
from django.db import connection, models, transaction
from django.db.utils import ProgrammingError
from django.utils import timezone

from contacts_app.core.secrets import EncryptedBinaryField, EncryptedTextField
from contacts_app.core.values import PhoneNumberField
from profiles_app.phone.models import MacAddressField

# What the kind of a field does not tell: constraints that span columns, flags that only one row may have, and words
# that many rows have in common (the copies keep them).
GIVEN = {
    "contacts_app.ApiToken": {"scope": "account", "extension": None},
    "contacts_app.NotificationContact": {"main": False},
    "phones_app.Phone": {
        "model": ["7841", "7861", "7945", "7962", "8811", "8841", "8845", "8851", "8865", "9971"],
        "location": [f"Floor-{n}" for n in range(50)],
        "software_version": ["sip88xx.14-2-1", "sip78xx.14-1-1", "SIP45.9-4-2SR3", "SCCP45.9-4-2SR3"],
    },
    "phones_app.Layer": {"kind": ["location", "family", "model"]},
    "phones_app.MobilitySession": {"phone": None},
    "phones_app.FileServer": {"is_default": False, "is_embedded": False},
    "profiles_app.CallRecord": {"currency": "EUR", "recording_url": ["", "https://acme.example/call.wav"]},
    "profiles_app.RateTable": {"is_default": False},
    "profiles_app.Callback": {"webhook_key": ""},
    "profiles_app.Message": {"stored_media": '["https://acme.example/cat.jpg"]'},
    "profiles_app.MessagingProfile": {"is_default": False},
}


def make_rows(model: type[models.Model], start: int, end: int) -> None:
    """Rows `start` to `end` of a model, and some of each model that it refers to."""
    model._default_manager.bulk_create(
        [
            model(**{f.attname: _value(f, n) for f in model._meta.concrete_fields if not f.primary_key})
            for n in range(start, end)
        ]
    )


def _value(field: models.Field, n: int):
    given = GIVEN.get(field.model._meta.label, {})
    if field.name in given:
        value = given[field.name]
        return value[n % len(value)] if isinstance(value, list) else value
    if field.is_relation:
        return _key(field, n)
    if isinstance(field, MacAddressField):
        return f"{0x020000000000 + n:012X}"
    if isinstance(field, PhoneNumberField):
        return str(2_000_000 + n)
    if field.choices:
        values = [value for value, _ in field.flatchoices]
        return values[n % len(values)]
    if isinstance(field, models.BooleanField):
        return n % 4 == 0
    if isinstance(field, models.DateTimeField):
        return timezone.now() - timedelta(days=n)
    if isinstance(field, models.IntegerField) and not field.has_default():
        return _least(field) + n
    if isinstance(field, models.DecimalField) and not field.has_default():
        return n
    if isinstance(field, models.GenericIPAddressField):
        return f"10.0.0.{n}"
    if isinstance(field, EncryptedBinaryField):
        return b"<device/>"
    if isinstance(field, models.CharField | models.TextField) and not isinstance(field, EncryptedTextField):
        return f"{field.name[: max((field.max_length or 99) - 8, 0)]}{n}x"
    return field.get_default()


def _least(field: models.Field) -> int:
    return max((v.limit_value for v in field.validators if isinstance(v, MinValueValidator)), default=1)


def _key(field: models.Field, n: int):
    related = field.related_model
    if related is field.model or (field.null and field.one_to_one):
        return None
    keys = list(related._default_manager.order_by("pk").values_list("pk", flat=True)[: 101 if n else 1])
    if not keys and field.null and _leads_back(related, field.model):
        return None
    if not keys or (_is_each_once(field) and n >= len(keys)):
        make_rows(related, len(keys), max(25, n + 1))
        return _key(field, n)
    return keys[n if _is_each_once(field) else n % len(keys)]


def _is_each_once(field: models.Field) -> bool:
    """Each row refers to another one: because it has to, or because of two references that are unique together."""
    return field.one_to_one or any(
        constraint.fields[-1] == field.name
        and all(field.model._meta.get_field(name).is_relation for name in constraint.fields)
        for constraint in field.model._meta.total_unique_constraints
    )


def _leads_back(model: type[models.Model], to: type[models.Model]) -> bool:
    return any(f.related_model is to for f in model._meta.concrete_fields if f.is_relation)


def multiply(model: type[models.Model], times: int) -> None:
    """Each row of the table `times` more: another text, another time, another number where it must be unique."""
    table = model._meta.db_table
    fields = [field for field in model._meta.concrete_fields if not field.primary_key]
    columns = ", ".join(f'"{field.column}"' for field in fields)
    shown = ", ".join(_copy(field) for field in fields)
    joins = " ".join(
        f"JOIN (SELECT {f.target_field.column} AS key, row_number() OVER (ORDER BY {f.target_field.column}) AS rn "
        f'FROM {f.related_model._meta.db_table}) AS "of_{f.column}" '
        f'ON "of_{f.column}".rn = t.rn + (SELECT count(*) FROM {table})'
        for f in fields
        if f.is_relation and _is_each_once(f) and not f.null
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexdef, indexname FROM pg_indexes LEFT JOIN pg_constraint ON conname = indexname "
            "WHERE tablename = %s AND conname IS NULL",
            [table],
        )
        indexes = cursor.fetchall()
        # Building an index at once is several times quicker than growing it.
        for _, name in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        cursor.execute(
            f"INSERT INTO {table} ({columns}) SELECT {shown} FROM (SELECT r.*, g, row_number() OVER () AS rn "
            f"FROM {table} AS r, generate_series(1, {times}) AS g) AS t {joins}"
        )
        for definition, _ in indexes:
            cursor.execute(definition)
        cursor.execute(f"ANALYZE {table}")


def _copy(field: models.Field) -> str:
    column = f't."{field.column}"'
    if field.name in GIVEN.get(field.model._meta.label, {}):
        return column
    if field.is_relation and _is_each_once(field) and not field.null:
        return f'"of_{field.column}".key'
    if isinstance(field, models.UUIDField):
        return "gen_random_uuid()"
    if isinstance(field, MacAddressField):
        # An odd factor: every number becomes another one, and they are spread over all there are.
        return "'02' || upper(lpad(to_hex((rn * 40503 * 65537) % 1099511627776), 10, '0'))"
    if isinstance(field, models.GenericIPAddressField):
        return "'10.0.0.0'::inet + rn"
    if isinstance(field, models.DateTimeField):
        return f"{column} - g * interval '1 minute'"
    if isinstance(field, models.IntegerField) and not field.is_relation and not field.choices:
        unique = field.unique or any(field.name in c.fields for c in field.model._meta.total_unique_constraints)
        return f"{_least(field)} + 1000 + rn" if unique else column
    text = isinstance(field, models.CharField | models.TextField)
    if text and not field.choices and not field.is_relation and not isinstance(field, EncryptedTextField):
        # No copy holds the text of its original.
        return f"left(replace({column}, 'x', 'y') || g, {field.max_length or 1000})"
    return column


def without_foreign_keys() -> None:
    """Until the transaction ends references are not checked: copies refer to what their originals do."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL session_replication_role = replica")
    except ProgrammingError:
        pass  # Only superusers may; the others wait a little longer.
