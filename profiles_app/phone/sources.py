"""Profiles whose file is made from data: their file without a phone, which is the revision that they show.

What it is made from is known to the app above, which registers the maker. It is made at once when the profile or its
template is saved, and at `render_at` when something else has changed. Without it there is the reason (`render_error`).
"""

import hashlib
from collections.abc import Callable

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import current_author
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, PhoneTemplate, ProfileRevision, Source

# Of more profiles with one template the files are made by a worker.
AT_ONCE = 10
# Gives the bytes of a profile's file without a phone. Raises Refusal.
Maker = Callable[[PhoneProfile], bytes]
_makers: list[Maker] = []


class MadeFromData(Refusal):
    """A file is written to a profile that makes its own."""

    def __init__(self, profile: PhoneProfile) -> None:
        text = f"The file of {profile.name} is made from data. Change its template or its values, or make a file of it."
        self.fields = {"cnf_xml": [text]}
        super().__init__("made-from-data", text)


class WrongSource(Refusal):
    """Source and template do not belong together, or the template is another account's."""

    def __init__(self, text: str) -> None:
        self.fields = {"template": [text]}
        super().__init__("wrong-template", text)


def register_maker(maker: Maker) -> None:
    _makers.append(maker)


def check_source(profile: PhoneProfile) -> None:
    """Raises WrongSource."""
    template = profile.template
    if profile.source != Source.TEMPLATE:
        if template is not None:
            raise WrongSource("Only a profile whose source is a template has one.")
    elif template is None:
        raise WrongSource("A template has to be chosen.")
    elif template.account_id not in (None, profile.user.account_id):
        raise WrongSource("The template and the profile belong to different accounts.")


def add_revision(profile: PhoneProfile, content: bytes, *, author: str, channel: str, reason: str) -> None:
    """What the profile says from now on. Revisions are counted for each profile."""
    profile.revision = ProfileRevision.objects.create(
        profile=profile,
        number=((profile.revision and profile.revision.number) or 0) + 1,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        facts=sep.facts_of(content).as_dict(),
        author=author,
        channel=channel,
        reason=reason,
    )
    profile.save(update_fields=["revision", "updated_at"])


def remake(profile: PhoneProfile) -> None:
    """Make the file of a profile anew, and keep it as a revision where it is another one; or keep why there is none.

    The profile is locked by the caller.
    """
    error, content = "", b""
    try:
        content = next(make(profile) for make in _makers)
    except Refusal as refusal:
        error = refusal.message
    if content and (profile.revision is None or hashlib.sha256(content).hexdigest() != profile.revision.sha256):
        author = current_author()
        add_revision(profile, content, author=author.label[:255], channel=author.channel, reason=author.reason)
    profile.render_at, profile.render_error = None, error
    PhoneProfile.objects.filter(pk=profile.pk).update(render_at=None, render_error=error)


def remake_later(profiles: "QuerySet[PhoneProfile]") -> int:
    """Have the files of these profiles (a query) made anew by a worker; of how many."""
    return profiles.exclude(source=Source.FILE).update(render_at=timezone.now())


@transaction.atomic
def template_saved(template: PhoneTemplate) -> None:
    """The files of a template's profiles are made anew: those of a few at once. In the transaction of the change."""
    rows = PhoneProfile.objects.filter(template=template)
    if rows.count() > AT_ONCE:
        remake_later(rows)
        return
    for profile in rows.select_for_update(of=("self",)).order_by("pk"):
        remake(profile)
