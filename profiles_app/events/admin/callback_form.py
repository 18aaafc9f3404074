"""The form of a callback: its configuration as fields, whose secrets are shown as dots."""

import json
from copy import copy
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from profiles_app.events.admin.listener import ELSEWHERE, NamesCallback
from profiles_app.events.callback_changes import check_fallbacks, probe
from profiles_app.events.callback_config import (
    APPLICATIONS,
    EMAIL,
    HTTP,
    HTTP_MODES,
    RATE_LIMITS,
    SHOWN,
    Config,
    checked_config,
    masked_config,
)
from profiles_app.events.models.setup import Callback

# What people see in the place of a header's secret value.
DOTS = "••••••••"
METHODS = HTTP["properties"]["method"]["enum"]
FORMATS = EMAIL["properties"]["mode"]["enum"]
# Which field of the form a member of the configuration is typed into.
FIELD_OF = dict.fromkeys(RATE_LIMITS, "rate_number") | {
    "url": "url",
    "method": "method",
    "timeout": "timeout",
    "headers": "headers",
    "email": "email",
    "mode": "email_format",
    "application": "application",
    "parameters": "parameters",
}
HTTP_FIELDS = ("url", "method", "headers", "timeout")
EMAIL_FIELDS = ("email", "email_format")
APPLICATION_FIELDS = ("application", "parameters")
RATE_FIELDS = ("rate_number", "rate_period")


def _choice(values: Any) -> forms.ChoiceField:
    return forms.ChoiceField(
        choices=[(value, value) for value in values], required=False, widget=UnfoldAdminSelectWidget
    )


def _number(help_text: str, label: str | None = None) -> forms.IntegerField:
    return forms.IntegerField(label=label, required=False, help_text=help_text, widget=UnfoldAdminIntegerFieldWidget)


def _lines(help_text: str, rows: int) -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": rows, "class": "font-mono", "autocomplete": "off"})
    return forms.CharField(required=False, strip=False, help_text=help_text, widget=widget)


class CallbackForm(NamesCallback):
    same_account = {"profile": ELSEWHERE, "fallback_callback": ELSEWHERE}
    url = forms.CharField(
        label="URL",
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text="http or https. Values in its query and tokens in its path show as “true”; left like that they stay.",
    )
    method = _choice(METHODS)
    headers = _lines(f"One “Name: value” a line. {DOTS} stands for a stored value and keeps it.", 4)
    timeout = _number("Seconds, 1 to 30; empty: what the portal has set.")
    email = forms.CharField(required=False, widget=UnfoldAdminTextInputWidget)
    email_format = _choice(FORMATS)
    application = _choice(APPLICATIONS)
    parameters = _lines("A JSON object, such as {“message”: “We are closed.”}.", 6)
    rate_number = _number("1 to 1000; those beyond are dropped. Empty: no limit.", "At most so many events")
    rate_period = _number("10 to 3600.", "In so many seconds")

    class Meta:
        model = Callback
        fields = ("account", "extension", "name", "profile", "fallback_callback", "enabled", "mode")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.stored: Config = self.instance.config if self.instance.pk else {}
        self.config: Config = {}
        self.initial.update(self._shown(self.stored))

    def _shown(self, config: Config) -> dict[str, Any]:
        config = masked_config(config)
        rate: Config = next((config[name] for name in RATE_LIMITS if name in config), {})
        return {
            "url": config.get("url", ""),
            "method": config.get("method", HTTP["properties"]["method"]["default"]),
            "headers": "\n".join(
                f"{header['name']}: {DOTS if header['value'] is SHOWN else header['value']}"
                for header in config.get("headers", [])
            ),
            "timeout": config.get("timeout"),
            "email": config.get("email", ""),
            "email_format": config.get("mode", FORMATS[0]),
            "application": config.get("application"),
            "parameters": json.dumps(config.get("parameters", {}), indent=2, ensure_ascii=False),
            "rate_number": rate.get("number"),
            "rate_period": rate.get("period"),
        }

    def clean(self) -> dict[str, Any]:
        """As by REST, so that enabling a callback again takes a URL that answers; else saving asks nobody."""
        given = super().clean()
        try:
            check_fallbacks(self.instance.pk, getattr(given.get("fallback_callback"), "pk", None))
        except ValidationError as error:
            self.add_error("fallback_callback", error.message_dict["fallback_callback_id"])
        if not self.errors:
            try:
                self.config = checked_config(given["mode"], self._typed(given), self.stored)
            except ValidationError as error:
                for path, texts in error.message_dict.items():
                    self.add_error(FIELD_OF.get(path.split(".")[1], "mode"), texts)
        if not self.errors and self.instance.pk and given["enabled"] and not self.instance.enabled:
            self._ask_url(given["mode"])
        return given

    def _ask_url(self, mode: str) -> None:
        wanted = copy(self.instance)
        wanted.mode, wanted.config = mode, self.config
        if not (tried := probe(wanted)).ok:
            self.add_error("enabled", f"It stays disabled. {tried.message}")

    def _typed(self, given: dict[str, Any]) -> Config:
        """The configuration as the mode's fields have it; what was left empty is not in it."""
        mode = given["mode"]
        if mode == Callback.Mode.APPLICATION:
            return {"application": given["application"], "parameters": self._parameters(given["parameters"])}
        config: Config = {}
        if given["rate_number"] is not None or given["rate_period"] is not None:
            spelling = next((name for name in RATE_LIMITS if name in self.stored), next(iter(RATE_LIMITS)))
            config[spelling] = {"number": given["rate_number"], "period": given["rate_period"]}
        if mode == Callback.Mode.EMAIL:
            return config | {"email": given["email"], "mode": given["email_format"]}
        config |= {name: given[name] for name in ("url", "method", "timeout")}
        return config | {"headers": self._headers(given["headers"])}

    def _headers(self, text: str) -> list[dict[str, Any]]:
        headers = []
        for line in filter(None, map(str.strip, text.splitlines())):
            name, colon, value = (part.strip() for part in line.partition(":"))
            if not colon:
                raise ValidationError({"config.headers": [f"“{line[:40]}” has no colon."]})
            headers.append({"name": name, "value": SHOWN if value == DOTS else value})
        return headers

    def _parameters(self, text: str) -> Any:
        try:
            return json.loads(text or "{}", parse_constant=_refuse)
        except (ValueError, RecursionError) as error:
            raise ValidationError({"config.parameters": [f"This is no JSON: {error}"]}) from None


def _refuse(constant: str) -> None:
    """Python alone knows NaN and the infinities in JSON."""
    raise ValueError(f"{constant} is not JSON")


def visible_fields() -> dict[str, str]:
    """Which fields are shown in which mode, as the admin's theme wants to know it."""
    http = " || ".join(f"mode == '{mode}'" for mode in HTTP_MODES)
    email, application = (f"mode == '{mode}'" for mode in (Callback.Mode.EMAIL, Callback.Mode.APPLICATION))
    return {
        **dict.fromkeys(HTTP_FIELDS, http),
        **dict.fromkeys(EMAIL_FIELDS, email),
        **dict.fromkeys(APPLICATION_FIELDS, application),
        **dict.fromkeys(RATE_FIELDS, f"{http} || {email}"),
    }
