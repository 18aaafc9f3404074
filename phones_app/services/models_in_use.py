"""Which models there are phones of: a DISTINCT would read a million rows for a dozen names."""

from django.db import connection

from contacts_app.models import Account

# Nobody chooses from more, and what is typed in as a model can be anything.
MOST = 100
# A loose index scan (PostgreSQL wiki): each step finds the next name in the index of models.
LEAPS = """
    WITH RECURSIVE found(model) AS (
        SELECT min(model) FROM phones_app_phone WHERE {mine}
        UNION ALL
        SELECT (SELECT min(p.model) FROM phones_app_phone AS p WHERE {mine} AND p.model > found.model)
        FROM found WHERE found.model IS NOT NULL
    ) SELECT model FROM found WHERE model IS NOT NULL LIMIT {most}
"""


def models_in_use(account: Account | None) -> list[str]:
    """The models of an account's phones, or of all, in their order: the first `MOST` of them."""
    mine, known = ("account_id = %s", [account.pk] * 2) if account else ("1 = 1", [])
    with connection.cursor() as cursor:
        cursor.execute(LEAPS.format(mine=mine, most=MOST), known)
        return [model for (model,) in cursor.fetchall()]
