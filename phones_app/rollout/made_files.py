"""Making the files of a rollout when it starts: each becomes a revision, which its deployment names."""

from collections.abc import Iterator, Sequence

from contacts_app.core.errors import Refusal
from contacts_app.core.lists.among import among
from phones_app.configuration.rendering import revisions_for
from phones_app.inventory.models import Phone
from phones_app.rollout.plan import Planned
from profiles_app.phone.models import PhoneProfile


def with_stored_files(
    rows: Sequence[tuple[Planned, int]], profile: PhoneProfile | None, refused: list[tuple[str, Refusal]]
) -> Iterator[tuple[Planned, int]]:
    """The rows with stored files: those that are made for phones are made now. Those that cannot be made are refused."""
    to_make = [one.phone for one, _ in rows if not one.revision]
    phones = list(Phone.objects.filter(pk__in=among(to_make)).defer("web_password", "description")) if to_make else []
    loads = {one.phone: one.way.loads[0] for one, _ in rows if one.way.loads}
    files = revisions_for(phones, profile, store=True, loads=loads)
    for one, wave in rows:
        outcome = files.get(one.phone)
        if isinstance(outcome, Refusal):
            refused.append((one.mac, outcome))
        elif outcome is not None:
            yield one._replace(revision=outcome.revision.pk, sha256=outcome.sha256), wave
        elif one.revision:
            yield one, wave
