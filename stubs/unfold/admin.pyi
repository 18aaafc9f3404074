from typing import Any, ClassVar

from django.contrib import admin

class ModelAdmin(admin.ModelAdmin[Any]):
    # Looser than Django's own: a page extends what its base declares, as a tuple or a list.
    list_display: Any
    list_select_related: ClassVar[Any]
    autocomplete_fields: ClassVar[Any]
    readonly_fields: ClassVar[Any]
    fields: ClassVar[Any]
    actions_list: ClassVar[Any]
    actions_detail: ClassVar[Any]
    actions_row: ClassVar[Any]
    actions_submit_line: ClassVar[Any]
    conditional_fields: ClassVar[dict[str, str]]
    change_form_outer_after_template: ClassVar[str | None]
    list_filter_submit: ClassVar[bool]
    list_fullwidth: ClassVar[bool]
    compressed_fields: ClassVar[bool]
    warn_unsaved_form: ClassVar[bool]
    def get_actions_detail(self, request: Any, object_id: Any) -> list[Any]: ...

class TabularInline(admin.TabularInline[Any, Any]): ...
