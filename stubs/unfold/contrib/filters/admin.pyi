from typing import Any

from django.contrib import admin

class ChoicesCheckboxFilter(admin.ChoicesFieldListFilter):
    def value(self) -> list[str] | None: ...

class AllValuesCheckboxFilter(admin.AllValuesFieldListFilter):
    lookup_choices: Any

class AutocompleteSelectFilter(admin.RelatedFieldListFilter):
    request: Any

class RangeDateFilter(admin.FieldListFilter):
    request: Any
    parameter_name: str

class DropdownFilter(admin.SimpleListFilter): ...
