"""The files of phones: made from data and checked like any file, and stored as revisions that never change.

One rendering is one revision: what is deployed, compared and read back is a row like that of a file which was written.
A profile whose source is a file gives its latest revision, byte for byte.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import current_author
from contacts_app.core.lists.among import among
from phones_app.configuration.gather import Gathered, layers_of, profiles_for
from phones_app.configuration.layer_rows import AS_STORED, Instead
from phones_app.configuration.load_in_file import check_made, with_load
from phones_app.inventory.models import Phone
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, ProfileRevision, is_made
from profiles_app.phone.rendering.built_in import all_built_in
from profiles_app.phone.rendering.refusal import RenderRefused
from profiles_app.phone.rendering.render import Rendering, render
from profiles_app.phone.services import check_content

# Phones that are worked on together: what one batch needs is all that is held in memory.
BATCH = 1000
# What a revision is found by that is there already.
Identity = tuple[int, str, str]


class NotRendered(Refusal):
    """No file can be made; `line` is that of the template, `asked` are the layers that have no value either."""

    def __init__(self, refused: RenderRefused) -> None:
        self.line, self.asked = refused.line, refused.asked
        super().__init__(refused.code, str(refused))


@dataclass(frozen=True)
class Rendered:
    """One phone's file with its revision, which has no key while it is not stored."""

    revision: ProfileRevision
    profile: PhoneProfile
    remarks: tuple[str, ...] = ()
    findings: tuple[sep.Finding, ...] = ()

    @property
    def sha256(self) -> str:
        return self.revision.sha256

    @property
    def facts(self) -> dict[str, Any]:
        return dict(self.revision.facts)

    @property
    def content(self) -> bytes:
        return bytes(self.revision.content)


Outcome = Rendered | Refusal


def rendering_of(
    phone: Phone, profile: PhoneProfile | None = None, *, person_profile: PhoneProfile | None = None
) -> Rendering:
    """The file of one phone with the values in it and their layers. Raises Refusal."""
    gathered = layers_of([phone], profile, person_profile).get(phone.pk)
    if gathered is None:
        raise Refusal("no-profile", "The phone has no profile.")
    if not is_made(gathered.profile):
        raise Refusal("source-is-file", f"The profile {gathered.profile.name} is a file: it is made from no values.")
    return render_gathered(gathered)


def render_gathered(gathered: Gathered) -> Rendering:
    """Raises Refusal."""
    if gathered.refusal is not None:
        raise gathered.refusal
    try:
        return render(
            gathered.text,
            device=gathered.device,
            layers=gathered.layers,
            lines=gathered.lines,
            keys=gathered.keys,
            templates=_included(),
        )
    except RenderRefused as refused:
        raise NotRendered(refused) from None


@cache
def _included() -> Mapping[str, str]:
    """The portal's own templates, which others may include."""
    return {template.name: template.text for template in all_built_in()}


def revisions_for(
    phones: Sequence[Phone],
    profile: PhoneProfile | None = None,
    *,
    store: bool,
    person_profile: PhoneProfile | None = None,
    loads: Mapping[int, str] | None = None,
) -> dict[int, Outcome]:
    """Each phone's file with this profile; None: with its own. Those of which no file can be made get the reason.

    `loads` are the firmware that phones are to get, by their keys, instead of what their files would say: also in files
    that are written by hand, of which everything else stays. The number of queries grows with the number of batches only.
    """
    found: dict[int, Outcome] = {}
    for start in range(0, len(phones), BATCH):
        batch = phones[start : start + BATCH]
        outcomes = dict(_outcomes(batch, profile, person_profile, loads or {}))
        made = {phone.pk: outcomes[phone.pk] for phone in batch}
        found |= _stored(made) if store else made
    return found


def revision_for(phone: Phone, profile: PhoneProfile, *, store: bool) -> Rendered:
    """The file of one phone. Raises Refusal."""
    outcome = revisions_for([phone], profile, store=store)[phone.pk]
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome


def _outcomes(
    phones: Sequence[Phone], profile: PhoneProfile | None, person: PhoneProfile | None, loads: Mapping[int, str]
) -> Iterator[tuple[int, Outcome]]:
    known = {profile.pk: profile} if profile is not None else profiles_for(phones)
    by_hand = _contents(known.values()) if loads else {}
    from_data = []
    for phone in phones:
        own = profile or known.get(phone.current_profile_id or 0)
        if own is None:
            yield phone.pk, Refusal("no-profile", "The phone has no profile.")
        elif is_made(own):
            from_data.append(phone)
        elif own.revision is None:
            yield phone.pk, Refusal("profile-is-empty", f"The profile {own.name} has no file.")
        elif phone.pk in loads:
            yield phone.pk, _with_load(phone, own, by_hand[own.revision.pk], loads[phone.pk])
        else:
            yield phone.pk, Rendered(own.revision, own)
    if from_data:
        gathered = layers_of(from_data, profile, person, instead=Instead(loads=loads) if loads else AS_STORED)
        for phone in from_data:
            yield phone.pk, _outcome(phone, gathered[phone.pk], loads.get(phone.pk, ""))


def _contents(profiles: Iterable[PhoneProfile]) -> dict[int, bytes]:
    """Of those that are files, by their revisions."""
    keys = [profile.revision_id for profile in profiles if profile.revision_id and not is_made(profile)]
    rows = ProfileRevision.objects.filter(pk__in=among(keys)).values_list("pk", "content")
    return {key: bytes(content) for key, content in rows}


def _with_load(phone: Phone, profile: PhoneProfile, by_hand: bytes, load: str) -> Outcome:
    try:
        content = with_load(by_hand, load)
        findings = check_content(content, model=phone.model, software_type=phone.software_type)
    except Refusal as refusal:
        return refusal
    made_from = {"profile": {"name": profile.name, "uuid": str(profile.uuid)}, "load": load}
    return Rendered(_revision(profile, phone.mac, content, made_from), profile, (), tuple(findings))


def _outcome(phone: Phone, gathered: Gathered, load: str) -> Outcome:
    try:
        rendering = render_gathered(gathered)
        findings = check_content(rendering.content, model=phone.model, software_type=phone.software_type)
        revision = revision_of(gathered, rendering, phone.mac)
        if load:
            check_made(revision.facts, load, gathered)
    except Refusal as refusal:
        return refusal
    return Rendered(revision, gathered.stored_for, rendering.remarks, tuple(findings))


def revision_of(gathered: Gathered, rendering: Rendering, mac: str | None) -> ProfileRevision:
    """The rendering as a row, which is not stored."""
    return _revision(gathered.stored_for, mac, rendering.content, provenance(gathered, rendering))


def _revision(profile: PhoneProfile, mac: str | None, content: bytes, made_from: dict[str, Any]) -> ProfileRevision:
    author = current_author()
    return ProfileRevision(
        profile=profile,
        rendered_for=mac,
        provenance=made_from,
        content=content,
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        facts=sep.facts(sep.parse(content)).as_dict(),
        author=author.label[:255],
        channel=author.channel,
        reason=author.reason,
    )


def provenance(gathered: Gathered, rendering: Rendering) -> dict[str, Any]:
    """What the file was made from, without any value: they may be secret, and stand in the file."""
    profile, person = gathered.profile, gathered.person_profile
    told: dict[str, Any] = {
        "template": dict(gathered.template),
        "profile": {"name": profile.name, "uuid": str(profile.uuid)},
        "profile_revision": profile.revision.number if profile.revision else None,
        "layers": [
            {
                "kind": layer.kind,
                "label": layer.label,
                "key": layer.key,
                "version": gathered.versions.get(layer.key, ""),
            }
            for layer in gathered.layers
        ],
        "values": {
            name: {"layer": value.layer, "key": value.key}
            for name, value in rendering.values.items()
            if name in rendering.used
        },
        "remarks": list(rendering.remarks),
    }
    return told if person is None else told | {"person_profile": {"name": person.name, "uuid": str(person.uuid)}}


def _stored(outcomes: Mapping[int, Outcome]) -> dict[int, Outcome]:
    """The same with stored revisions: a file that was made before is the revision that it was then."""
    made = [outcome.revision for outcome in outcomes.values() if isinstance(outcome, Rendered)]
    fresh = {_identity(revision): revision for revision in made if revision.pk is None}
    known = _known(fresh)
    # Another process may make the same file at the same time: whichever row was first is the one for both.
    missing = [revision for identity, revision in fresh.items() if identity not in known]
    if missing:
        ProfileRevision.objects.bulk_create(missing, ignore_conflicts=True)
        known |= _known({_identity(revision): revision for revision in missing})
    for identity, revision in fresh.items():
        revision.pk = known[identity]
        revision._state.adding = False
    return dict(outcomes)


def _identity(revision: ProfileRevision) -> Identity:
    return revision.profile_id, revision.rendered_for or "", revision.sha256


def _known(wanted: Mapping[Identity, ProfileRevision]) -> dict[Identity, int]:
    if not wanted:
        return {}
    rows = ProfileRevision.objects.filter(profile__in={key for key, _, _ in wanted})
    rows = rows.filter(rendered_for__in=among([mac for _, mac, _ in wanted]))
    found = rows.values_list("profile", "rendered_for", "sha256", "pk")
    known = {(profile, mac or "", sha256): pk for profile, mac, sha256, pk in found}
    return {identity: pk for identity, pk in known.items() if identity in wanted}
