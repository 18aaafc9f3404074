"""Phones that were chosen in the list, on their way from page to page."""

from django import forms


class PhonesForm(forms.Form):
    """The phones in question as one field: a selection can have more rows than a form may have fields."""

    phones = forms.RegexField(r"^\d{1,18}(,\d{1,18})*$", widget=forms.HiddenInput)

    def clean_phones(self) -> list[int]:
        return [int(key) for key in self.cleaned_data["phones"].split(",")]
