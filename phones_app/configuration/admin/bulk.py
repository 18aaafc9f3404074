"""What the change of many phones has about settings: a few of them, with a value for each phone's own layer."""

from collections.abc import Sequence
from itertools import groupby

from django import forms
from django.http import HttpRequest, QueryDict
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from phones_app.configuration.phone_values import PhoneValues
from phones_app.inventory.admin.bulk import BulkForm, ChangeSelected
from phones_app.inventory.bulk import BulkPart
from profiles_app.phone.rendering.settings import all_settings, check_value, find_setting

NUMBERS = (1, 2, 3)
# Who gives values to phones makes the layers in which they stand.
NEEDED = ("phones_app.add_layer", "phones_app.change_layer")


def _choices() -> list[tuple[str, str | list[tuple[str, str]]]]:
    """The settings of the catalogue by their groups. Secret ones are given to phones one by one."""
    shown = [setting for setting in all_settings() if not setting.secret]
    groups = groupby(shown, key=lambda setting: setting.group)
    return [("", "none"), *((name, [(one.name, one.label) for one in group]) for name, group in groups)]


def _setting(number: int) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=_choices, required=False, label=f"Setting {number}", widget=UnfoldAdminSelectWidget
    )


def _value() -> forms.CharField:
    return forms.CharField(
        required=False,
        max_length=1000,
        label="Value at each phone",
        widget=UnfoldAdminTextInputWidget,
        help_text="Empty: left to the phone, where it has a say.",
    )


def _no_value() -> forms.BooleanField:
    words = "No value of its own: what the phone’s other layers say"
    return forms.BooleanField(required=False, label=words, widget=UnfoldBooleanSwitchWidget)


class BulkFormWithSettings(BulkForm):
    setting_1, value_1, no_value_1 = _setting(1), _value(), _no_value()
    setting_2, value_2, no_value_2 = _setting(2), _value(), _no_value()
    setting_3, value_3, no_value_3 = _setting(3), _value(), _no_value()

    def clean(self) -> dict[str, object]:
        self.chosen: dict[str, str | None] = {}
        for number in NUMBERS:
            self._choose(number)
        return super().clean()

    def _choose(self, number: int) -> None:
        value = self.cleaned_data.get(f"value_{number}", "")
        takes_away = self.cleaned_data.get(f"no_value_{number}")
        setting = find_setting(self.cleaned_data.get(f"setting_{number}") or "")
        if setting is None:
            if value or takes_away:
                self.add_error(f"setting_{number}", "Choose the setting of this value.")
        elif setting.name in self.chosen:
            self.add_error(f"setting_{number}", "This setting is there twice.")
        elif value and takes_away:
            self.add_error(f"value_{number}", "Give a value, or none.")
        else:
            try:
                self.chosen[setting.name] = None if takes_away else check_value(setting, value)
            except ValueError as error:
                self.add_error(f"value_{number}", str(error))

    def parts(self) -> Sequence[BulkPart]:
        return [*super().parts(), *([PhoneValues(self.chosen)] if self.chosen else [])]


class ChangeSelectedWithSettings(ChangeSelected):
    bulk_form = BulkFormWithSettings

    def make_bulk_form(self, request: HttpRequest, data: QueryDict | None = None) -> BulkForm:
        form = super().make_bulk_form(request, data)
        if not request.user.has_perms(NEEDED):
            for number in NUMBERS:
                for name in ("setting", "value", "no_value"):
                    del form.fields[f"{name}_{number}"]
        return form
