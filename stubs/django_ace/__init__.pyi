from typing import Any

from django import forms

class AceWidget(forms.Textarea):
    def __init__(self, **options: Any) -> None: ...
    @property
    def media(self) -> forms.Media: ...
