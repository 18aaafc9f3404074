"""The folders of a phone's family, in which its files may lie: a reader of folders.toml."""

from functools import lru_cache
from itertools import product

from contacts_app.core.tables import table
from profiles_app.phone.sep import catalogue


# Names of models come also from requests.
@lru_cache(maxsize=512)
def folders_of(model: str) -> tuple[str, ...]:
    """For a model as a phone or the inventory writes it; none for one that the catalogue does not know."""
    device = catalogue.find(model)
    if device is None:
        return ()
    number = device.model
    values = {"model": (number,), "load": tuple(dict.fromkeys(load.rstrip(".-") for load in device.loads))}
    is_number = number.isdigit() and len(number) == 4
    values |= {"tens": (f"{number[:3]}x",), "hundreds": (f"{number[:2]}xx",)} if is_number else {}
    found = []
    for template in table(__file__, "folders.toml")["folders"]:
        names = [name for name in values if f"{{{name}}}" in template]
        for chosen in product(*(values[name] for name in names)) if names else ():
            found.append(template.format_map(dict(zip(names, chosen, strict=True))))
    return tuple(dict.fromkeys(found))


@lru_cache(maxsize=512)
def tops_of(model: str) -> frozenset[str]:
    """Where those folders lie at the top, in lower case."""
    return frozenset(folder.partition("/")[0].lower() for folder in folders_of(model))
