"""A callback's configuration in each mode: its JSON Schema, merging changes into it, masking it (events spec §5.2).

The schemas check what comes in, name the defaults, say which keys are kept, and stand in the OpenAPI document.
"""

import re
from typing import Any, NamedTuple
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
# Any other header may hold a secret, whatever its name. `X-Other` is the document's own example of one that is shown
# (events spec §8, case 19).
HARMLESS_HEADERS = {
    *("accept", "accept-charset", "accept-encoding", "accept-language", "cache-control", "content-encoding"),
    *("content-language", "content-type", "date", "from", "origin", "pragma", "user-agent", "x-other"),
}
# What a secret is shown as. Sent back like that it means: keep what is stored.
SHOWN = True
SHOWN_IN_URL = "true"
# A segment of a path that is no word, but long and of letters and digits, or of both cases, or digits alone: many
# receivers know their callers by it.
_TOKEN = re.compile(r"(?=\d+$|.*\d.*[a-z]|.*[a-z].*\d|.*[A-Z].*[a-z]|.*[a-z].*[A-Z]|.*\d.*[A-Z]|.*[A-Z].*\d).{16,}")
TYPE_AGAIN = "The host is another one now: its secrets have to be sent again, or left out."


def checked_config(mode: str, config: Any, stored: Config | None = None) -> Config:
    """The configuration to store. `stored` is the present one, for secrets that are to be kept."""
    if isinstance(config, dict):
        config = _with_kept_secrets(_corrected(mode, config), stored or {})
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
    """The stored configuration with changed keys; either spelling of the rate limit replaces the other.

    Secrets in it stand as they are shown, so that what is kept and what was sent back are judged alike.
    """
    if not isinstance(changes, dict):
        return changes
    replaced = set(RATE_LIMITS) if set(RATE_LIMITS) & set(changes) else set()
    return {name: value for name, value in masked_config(stored).items() if name not in replaced} | changes


def masked_config(config: Config) -> Config:
    """The configuration as anybody may see it: no header's value, and nothing in the URL, that could be a secret."""
    shown = dict(config)
    if "url" in config:
        shown["url"] = _Url.of(config["url"]).masked.text
    if "headers" in config:
        shown["headers"] = [
            header if _is_harmless(header["name"]) else header | {"value": SHOWN} for header in config["headers"]
        ]
    return shown


def _is_harmless(name: str) -> bool:
    return name.lower() in HARMLESS_HEADERS


class _Url(NamedTuple):
    """A URL in parts: what stands between its slashes, of which the first three lead to the host, and its query."""

    segments: list[str]
    question: str
    pairs: list[str]
    tail: str

    @classmethod
    def of(cls, text: str) -> "_Url":
        whole, mark, fragment = text.partition("#")
        head, question, query = whole.partition("?")
        return cls(head.split("/"), question, query.split("&") if query else [], mark + fragment)

    @property
    def text(self) -> str:
        return "/".join(self.segments) + self.question + "&".join(self.pairs) + self.tail

    @property
    def masked(self) -> "_Url":
        path = [SHOWN_IN_URL if _TOKEN.fullmatch(segment) else segment for segment in self.segments[3:]]
        return self._replace(segments=self.segments[:3] + path, pairs=[_masked_pair(pair) for pair in self.pairs])


def _masked_pair(pair: str) -> str:
    """A parameter of a query with its value masked; one without a name is a value itself."""
    name, equals, value = pair.partition("=")
    return f"{name}={SHOWN_IN_URL if value else ''}" if equals else SHOWN_IN_URL


def _url_with_kept_values(url: str, stored: str) -> str:
    """Segments of the path are known by their place, parameters of the query by their name."""
    sent, kept = _Url.of(url), _Url.of(stored)
    left: dict[str, list[str]] = {}
    for pair, masked in zip(kept.pairs, kept.masked.pairs, strict=True):
        left.setdefault(masked, []).append(pair)
    pairs = [left[pair].pop(0) if left.get(pair) else pair for pair in sent.pairs]
    path = list(sent.segments)
    for place, (one, masked) in enumerate(zip(sent.segments, kept.masked.segments, strict=False)):
        if one == masked:
            path[place] = kept.segments[place]
    return sent._replace(segments=path, pairs=pairs).text


def place_of(url: object) -> object:
    """Scheme, host and port: where secrets of this URL go."""
    try:
        parts = urlsplit(str(url))
        return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None


def target_of(mode: str, config: Config) -> str:
    """What a callback is found by: the host (the rest of a URL may be secret), the address, or the application."""
    if mode in HTTP_MODES:
        return urlsplit(config["url"]).netloc.rpartition("@")[2].lower()[:254]
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


def _with_kept_secrets(config: Config, stored: Config) -> Config:
    """Replace each secret that came back as it is shown by the stored one, which goes to no other host.

    Where none is stored, `true` stays, which is refused as the value of a header. Raises ValidationError.
    """
    is_same_place = place_of(config.get("url")) == place_of(stored.get("url"))
    kept = dict(config)
    if isinstance(url := config.get("url"), str) and is_same_place:
        kept["url"] = _url_with_kept_values(url, stored.get("url", ""))
    if isinstance(headers := config.get("headers"), list):
        values = [(header["name"].lower(), header["value"]) for header in stored.get("headers", [])]
        kept["headers"] = [_with_kept_value(header, values, is_same_place) for header in headers]
    return kept


def _with_kept_value(header: Any, stored: list[tuple[str, str]], is_same_place: bool) -> Any:
    """The header with its stored value, which is taken out of `stored`: one name may stand several times."""
    name = header.get("name") if isinstance(header, dict) else None
    if not isinstance(name, str) or header.get("value") is not SHOWN or _is_harmless(name):
        return header
    found = next((secret for secret in stored if secret[0] == name.lower()), None)
    if found is None:
        return header
    if not is_same_place:
        raise ValidationError({"config.headers": [TYPE_AGAIN]})
    stored.remove(found)
    return header | {"value": found[1]}
