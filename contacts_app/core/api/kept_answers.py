"""Answers that were kept for a day are forgotten by a worker."""

from collections.abc import Sequence
from datetime import timedelta

from django.db.models import QuerySet

from contacts_app.core.api.models import LIFE, KeptAnswer
from contacts_app.core.work import clock
from contacts_app.core.work.kind import Work


class OldAnswers(Work):
    name = queue = "kept-answers"
    model = KeptAnswer
    due_field = "created_at"
    batch = 500

    @classmethod
    def due(cls) -> QuerySet[KeptAnswer]:
        return KeptAnswer.objects.filter(created_at__lt=clock.now() - LIFE)

    @classmethod
    def overdue(cls, age: timedelta) -> int:
        return cls.due().filter(created_at__lt=clock.now() - LIFE - age).count()

    def do(self, keys: Sequence[int]) -> None:
        KeptAnswer.objects.filter(pk__in=keys).delete()

    def rest(self, until: object) -> dict[str, object]:
        # They have no due time of their own: the next sweep finds them again.
        return {}
