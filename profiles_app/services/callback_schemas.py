"""What a callback's configuration holds in each mode, as JSON Schema (events spec §5.2).

The same tables check what comes in, name the defaults, say which keys are kept, and stand in the OpenAPI document.
"""

from typing import Any

from profiles_app.models import Callback

Schema = dict[str, Any]

DEFAULT_METHOD = "POST"
STATIC_PARAMETERS = (
    "cd1",
    "cd2",
    "cd3",
    "cd4",
    "cd5",
    "cid",
    "dh",
    "dl",
    "ea",
    "ec",
    "el",
    "ev",
    "ni",
    "t",
    "tid",
    "uid",
    "v",
)
NEVER_DYNAMIC = ("t", "tid", "v")
DYNAMIC_VALUES = ["call_duration", "direction", "direction_text", "phone_number", "other_phone_number"]

RATE_LIMIT: Schema = {
    "type": ["object", "null"],
    "description": "At most `number` events in `period` seconds; those beyond are suppressed.",
    "required": ["number", "period"],
    "properties": {
        "number": {"type": "integer", "minimum": 1, "maximum": 1000},
        "period": {"type": "integer", "minimum": 10, "maximum": 3600},
    },
}
# The guide has a hyphen, the official schema an underscore; whichever was received is echoed.
RATE_LIMITS = {"rate-limit": RATE_LIMIT, "rate_limit": RATE_LIMIT}

HTTP: Schema = {
    "type": "object",
    "required": ["url"],
    "properties": {
        "url": {"type": "string", "format": "http-url", "maxLength": 2048},
        "method": {"enum": ["GET", "POST", "PUT", "PATCH", "DELETE"], "default": DEFAULT_METHOD},
        "headers": {
            "type": ["array", "null"],
            "maxItems": 50,
            "items": {
                "type": "object",
                "required": ["name", "value"],
                "properties": {
                    "name": {"type": "string", "format": "header-name", "maxLength": 128},
                    "value": {"type": "string", "format": "header-value", "maxLength": 4096},
                },
            },
        },
        "timeout": {"type": ["integer", "null"], "minimum": 1, "maximum": 30, "description": "Seconds."},
        **RATE_LIMITS,
    },
}

EMAIL: Schema = {
    "type": "object",
    "required": ["email"],
    "properties": {
        "email": {"type": "string", "format": "email", "maxLength": 254},
        "mode": {"enum": ["json", "text"], "default": "json"},
        **RATE_LIMITS,
    },
}

_PARAMETER: Schema = {"type": ["string", "number"], "maxLength": 2048}
GOOGLE_ANALYTICS: Schema = {
    "type": "object",
    "required": ["tracking_id"],
    "properties": {
        "tracking_id": {"type": "string", "minLength": 1, "maxLength": 64},
        "static": {
            "type": "object",
            "properties": dict.fromkeys(STATIC_PARAMETERS, _PARAMETER),
            "additionalProperties": False,
        },
        "dynamic": {
            "type": "object",
            "properties": {
                name: {"enum": DYNAMIC_VALUES} for name in STATIC_PARAMETERS if name not in NEVER_DYNAMIC
            },
            "additionalProperties": False,
        },
    },
}
_SECONDS_BETWEEN: Schema = {"type": "integer", "minimum": 60, "maximum": 2_592_000}
SMS_AUTORESPONDER: Schema = {
    "type": "object",
    "required": ["message"],
    "properties": {
        "message": {"type": "string", "minLength": 1, "maxLength": 1600},
        "rate-limit": _SECONDS_BETWEEN | {"default": 300},
        "rate_limit": _SECONDS_BETWEEN,
    },
}
APPLICATIONS: dict[str, Schema] = {
    "google-analytics": GOOGLE_ANALYTICS,
    "sms-autoresponder": SMS_AUTORESPONDER,
}
APPLICATION: Schema = {
    "type": "object",
    "required": ["application", "parameters"],
    "properties": {"application": {"enum": list(APPLICATIONS)}, "parameters": {"type": "object"}},
}

CONFIG_SCHEMAS: dict[str, Schema] = {
    Callback.Mode.HTTPS: HTTP,
    Callback.Mode.HTTP: HTTP,
    Callback.Mode.EMAIL: EMAIL,
    Callback.Mode.APPLICATION: APPLICATION,
}


def application_schema(application: str) -> Schema:
    """The configuration of one application, with its parameters."""
    return APPLICATION | {"properties": APPLICATION["properties"] | {"parameters": APPLICATIONS[application]}}
