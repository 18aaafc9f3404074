from typing import Any

from django.contrib.admin.views.main import ChangeList as DjangoChangeList

class ChangeList(DjangoChangeList):
    # Django has them too, as what its own subclasses may change.
    def _get_deterministic_ordering(self, ordering: Any) -> Any: ...
    def _get_default_ordering(self) -> Any: ...
