"""The examples of the OpenAPI document, which stand in `examples.json` beside the resources that they show."""

from drf_spectacular.utils import OpenApiExample

from contacts_app.core.tables import table


def examples_of(module: str, *names: str) -> list[OpenApiExample]:
    """Those of the names, in this order. `module` is the resource's `__file__`."""
    known = table(module, "examples.json")
    return [OpenApiExample(**known[name]) for name in names]
