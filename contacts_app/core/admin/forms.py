"""What forms of the admin have in common: secrets go in and never out, and rows refer to rows of their account."""

from typing import Any, ClassVar

from django import forms
from django.forms import ModelForm
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminPasswordToggleWidget, UnfoldAdminSplitDateTimeWidget, UnfoldBooleanSwitchWidget


class DayAndTime(UnfoldAdminSplitDateTimeWidget):  # type: ignore[misc]
    """Two boxes under one label, which leads to neither: each of them says which one it is. Below them, in which time
    zone that is.
    """

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        zone = format_html('<p class="pb-quiet">Time zone: {}</p>', timezone.get_current_timezone_name())
        return super().render(*args, **kwargs) + zone  # type: ignore[no-any-return]

    def get_context(self, name: str, value: object, attrs: dict[str, Any] | None) -> dict[str, object]:
        context: dict[str, Any] = super().get_context(name, value, attrs)
        for box, part in zip(context["widget"]["subwidgets"], ("day", "time"), strict=True):
            box["attrs"]["aria-label"] = f"{name.replace('_', ' ').capitalize()}: {part}"
        return context


class SecretField(forms.CharField):
    """A password that can be typed and is never shown again; typing nothing is no change."""

    def __init__(self, **kwargs: Any) -> None:
        widget = UnfoldAdminPasswordToggleWidget(attrs={"autocomplete": "new-password"})
        super().__init__(required=False, strip=False, widget=widget, **kwargs)

    def has_changed(self, initial: object, data: object) -> bool:
        return bool(data)


class SecretForm(ModelForm):  # type: ignore[type-arg]
    """A form for a model with one encrypted field, named by `kept_in`; its value never reaches the form."""

    kept_in = "password"
    new_secret = SecretField(label="Password")
    forget_secret = forms.BooleanField(label="Forget the password", required=False, widget=UnfoldBooleanSwitchWidget)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = type(self.instance)._default_manager.filter(pk=self.instance.pk or 0)
        # Fields are missing where the person may only look.
        if field := self.fields.get("new_secret"):
            stored = rows.exclude(**{self.kept_in: ""}).exists()
            field.help_text = "One is stored; leave this empty to keep it." if stored else "None is stored."

    def save(self, commit: bool = True) -> Any:
        if new := self.cleaned_data.get("new_secret"):
            setattr(self.instance, self.kept_in, new)
        elif self.cleaned_data.get("forget_secret"):
            setattr(self.instance, self.kept_in, "")
        return super().save(commit)


class SameAccountForm(ModelForm):  # type: ignore[type-arg]
    """A form whose row refers to others of its account only: `same_account` says what is wrong with any other."""

    same_account: ClassVar[dict[str, str]] = {}

    def clean(self) -> dict[str, Any]:
        given = super().clean() or {}
        account = given.get("account") or (self.instance.account if self.instance.pk else None)
        for name, refusal in self.same_account.items():
            if account and given.get(name) and given[name].account_id != account.pk:
                self.add_error(name, refusal)
        return given
