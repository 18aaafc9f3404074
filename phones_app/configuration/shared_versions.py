"""The version that a file says of its language and of its tones: phones fetch these again only when it changes.

Where no layer sets a version, it is calculated from the content of the shared file, so that it changes when the file is
replaced (boot server spec §5.4).
"""

from collections.abc import Mapping, Sequence

from django.db.models import Q
from django.db.models.functions import Lower

from contacts_app.core.lists.among import among
from phones_app.shared_files.models import SharedFile
from profiles_app.phone import sep
from profiles_app.phone.rendering.values import DeviceOf, LayerOf, merge

# The setting that names the folder, the one with the version, and what facts of a file call the former.
VERSIONED = (("user_locale", "user_locale_version", "user_locale"), ("tones", "tones_version", "tones"))
# A phone with its account, and what its file is made from.
Asking = tuple[int, DeviceOf, Sequence[LayerOf]]
# Account, phone and path; None: of everybody.
_Place = tuple[int | None, int | None, str]


def shared_versions(asking: Mapping[int, Asking]) -> dict[int, LayerOf]:
    """A weakest layer for each of these phones that is to get a version; one query, where any names a folder."""
    wanted = {phone: paths for phone, one in asking.items() if (paths := _paths(one))}
    files = {path for paths in wanted.values() for path in paths.values()}
    contents = _contents({asking[phone][0] for phone in wanted}, files)
    found = {}
    for phone, paths in wanted.items():
        account = asking[phone][0]
        nearest = ((account, phone), (account, None), (None, None))
        given = {
            setting: next(filter(None, (contents.get((*owner, path)) for owner in nearest)), "")
            for setting, path in paths.items()
        }
        if values := {setting: _version(digest) for setting, digest in given.items() if digest}:
            found[phone] = LayerOf(kind="portal", label="content of the shared file", values=values)
    return found


def _paths(one: Asking) -> dict[str, str]:
    """The files, in lower case, by the settings of their versions that no layer says."""
    _account, device, layers = one
    if not any(layer.values.get(name) for layer in layers for name, _, _ in VERSIONED):
        return {}
    values, found = merge(layers), {}
    for name, version, fact in VERSIONED:
        folder = values[name].value if name in values else ""
        if folder and not (version in values and values[version].value):
            facts = {"protocol": device.software, fact: folder}
            if named := next(sep.companions(facts, model=device.model), None):
                found[version] = named.names[0].lower()
    return found


def _contents(accounts: set[int], paths: set[str]) -> dict[_Place, str]:
    if not paths:
        return {}
    rows = SharedFile.objects.alias(lower=Lower("path")).filter(lower__in=among(sorted(paths)))
    rows = rows.filter(Q(account=None) | Q(account__in=among(sorted(accounts)))).order_by()
    told = rows.values_list("account", "phone", "path", "sha256")
    return {(account, phone, path.lower()): digest for account, phone, path, digest in told}


def _version(digest: str) -> str:
    """In the form that versions of languages have."""
    return f"1.0.0.0-{int(digest[:8], 16)}"
