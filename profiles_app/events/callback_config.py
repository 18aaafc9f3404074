"""A callback's configuration in each mode: its JSON Schema, merging changes into it, masking it (events spec §5.2).

The schemas check what comes in, name the defaults, say which keys are kept, and stand in the OpenAPI document.
"""

from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from contacts_app.core.tables import table
from profiles_app.events import json_schema
from profiles_app.events.models.setup import Callback

Schema = dict[str, Any]

SCHEMAS: dict[str, Schema] = table(__file__, "callback_schemas.json")
# The guide has a hyphen, the official schema an underscore; whichever was received is echoed.
RATE_LIMITS = dict.fromkeys(("rate-limit", "rate_limit"), SCHEMAS["rate-limit"])
HTTP, EMAIL = (
    schema | {"properties": schema["properties"] | RATE_LIMITS} for schema in (SCHEMAS["http"], SCHEMAS["email"])
)
APPLICATION = SCHEMAS["application"]
APPLICATIONS = {name: SCHEMAS[name] for name in APPLICATION["properties"]["application"]["enum"]}

CONFIG_SCHEMAS: dict[str, Schema] = {
    Callback.Mode.HTTPS: HTTP,
    Callback.Mode.HTTP: HTTP,
    Callback.Mode.EMAIL: EMAIL,
    Callback.Mode.APPLICATION: APPLICATION,
}


def application_schema(application: str) -> Schema:
    """The configuration of one application, with its parameters."""
    named = {"type": "string", "enum": [application]}
    return APPLICATION | {"properties": {"application": named, "parameters": APPLICATIONS[application]}}


Config = dict[str, Any]

HTTP_MODES = (Callback.Mode.HTTPS, Callback.Mode.HTTP)
# Their values are shown as `true`, and sent back as `true` they mean: keep what is stored.
SECRET_HEADERS = ("authorization", "x-api-key")


def checked_config(mode: str, config: Any, stored: Config | None = None) -> Config:
    """The configuration to store. `stored` is the present one, for secrets that are to be kept."""
    if isinstance(config, dict):
        config = _corrected(mode, config)
        if isinstance(headers := config.get("headers"), list):
            config = config | {"headers": _with_kept_secrets(headers, (stored or {}).get("headers", []))}
        if set(RATE_LIMITS) <= {name for name, value in config.items() if value is not None}:
            raise ValidationError({"config.rate-limit": ["There are two spellings of the rate limit."]})
    schema = CONFIG_SCHEMAS[mode]
    json_schema.check(schema, config, "config")
    if mode == Callback.Mode.APPLICATION:
        schema = application_schema(config["application"])
        json_schema.check(schema, config, "config")
    kept: Config = json_schema.normalised(schema, config)
    if "headers" in kept and not kept["headers"]:
        del kept["headers"]
    return kept


def merged_config(stored: Config, changes: Any) -> Any:
    """The stored configuration with changed keys; either spelling of the rate limit replaces the other."""
    if not isinstance(changes, dict):
        return changes
    replaced = set(RATE_LIMITS) if set(RATE_LIMITS) & set(changes) else set()
    return {name: value for name, value in stored.items() if name not in replaced} | changes


def masked_config(config: Config) -> Config:
    """The configuration as anybody may see it."""
    if "headers" not in config:
        return config
    masked = [
        header | ({"value": True} if header["name"].lower() in SECRET_HEADERS else {}) for header in config["headers"]
    ]
    return config | {"headers": masked}


def target_of(mode: str, config: Config) -> str:
    """What a callback is found by: the host (a URL may hold secrets), the address, or the application."""
    if mode in HTTP_MODES:
        return urlsplit(config["url"]).netloc.lower()[:254]
    return str(config["email"] if mode == Callback.Mode.EMAIL else config["application"])


def _corrected(mode: str, config: Config) -> Config:
    """The guide once misspells `parameters`, so clients do; the autoresponder's rate limit has two spellings too."""
    if mode != Callback.Mode.APPLICATION:
        return config
    misspelt = config.get("paramters")
    config = {name: value for name, value in config.items() if name != "paramters"}
    parameters = config.get("parameters", misspelt)
    if isinstance(parameters, dict) and "rate_limit" in parameters:
        parameters = {"rate-limit": parameters["rate_limit"]} | parameters
        del parameters["rate_limit"]
    return config if parameters is None else config | {"parameters": parameters}


def _with_kept_secrets(headers: list[Any], stored: list[dict[str, str]]) -> list[Any]:
    """Replace each `true` by the stored value of that header; where there is none it stays, which is refused."""
    left = [(header["name"].lower(), header["value"]) for header in stored]
    complete = []
    for header in headers:
        name = header.get("name") if isinstance(header, dict) else None
        if isinstance(name, str) and header.get("value") is True and name.lower() in SECRET_HEADERS:
            kept = next((secret for secret in left if secret[0] == name.lower()), None)
            if kept:
                left.remove(kept)
                header = header | {"value": kept[1]}
        complete.append(header)
    return complete
