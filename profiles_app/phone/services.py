"""Phone profiles: created, changed and restored, each change as a new revision after the checks of the SEP document."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db import transaction

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.authorship import because, current_author, one_line
from contacts_app.people.models import User
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, PhoneTemplate, ProfileRevision, Source, is_made
from profiles_app.phone.sources import MadeFromData, add_revision, check_source, remake

# So many phones are named where a profile is deleted.
NAMED = 20


class ProfileRefused(Refusal):
    """The SEP file has errors; `findings` say where."""

    def __init__(self, findings: Sequence[sep.Finding]) -> None:
        self.findings = list(findings)
        told = [describe(finding) for finding in findings]
        self.fields = {"cnf_xml": told}
        super().__init__("profile-has-errors", "; ".join(told))


@lru_cache(maxsize=64)
def _masked(cnf_xml: str) -> str:
    # Whatever encoding the file declares: tags are found by their ASCII names.
    return sep.redact(cnf_xml.encode("utf-8")).decode("utf-8")


def visible_xml(cnf_xml: str, actor: Actor) -> str:
    """A file as this actor may see it: staff without the permission to see passwords see MASK in their place."""
    return cnf_xml if actor.reveals else _masked(cnf_xml)


def unless_masked(profile: PhoneProfile, actor: Actor, values: dict[str, Any]) -> dict[str, Any]:
    """The values of a change, without a file that came back as it was shown.

    Who is not shown the passwords of a file cannot edit it, as in the admin. Raises PermissionDenied.
    """
    if "content" not in values or actor.reveals:
        return values
    if values["content"] != encode(visible_xml(profile.cnf_xml, actor)):
        raise PermissionDenied("Changing a file that has passwords needs the permission to see them")
    return {name: value for name, value in values.items() if name != "content"}


def numbers_of(user: User) -> list[str]:
    """What the lines of a person's profiles register as: mostly their extension."""
    facts = PhoneProfile.objects.filter(user=user).values_list("revision__facts", flat=True)
    return [str(line.get("name", "")) for fact in facts for line in (fact or {}).get("lines", ())]


def describe(finding: sep.Finding) -> str:
    where = f"line {finding.line}" if finding.line else ""
    if finding.line and finding.column:
        where += f", column {finding.column}"
    return f"{where}: {finding.message}" if where else finding.message


def phones_running(profile: PhoneProfile) -> str:
    """Which phones have the profile as theirs, and keep the file they have when it is deleted; empty: none."""
    phones = profile.phones.order_by("mac")
    number = phones.count()
    if not number:
        return ""
    names = ", ".join(map(str, phones[:NAMED])) + (f" and {number - NAMED} more" if number > NAMED else "")
    whose = f"{number} phones, which keep the files that they have" if number > 1 else "a phone, which keeps its file"
    return f"{profile} is the profile of {whose}: {names}"


def encode(cnf_xml: str) -> bytes:
    """The bytes of a file that came as text. Raises ProfileRefused when its own encoding cannot hold it."""
    try:
        return sep.encode(cnf_xml)
    except sep.Refused as refused:
        finding = sep.Finding(refused.code, sep.Severity.ERROR, refused.message, refused.line, refused.column)
        raise ProfileRefused([finding]) from None


@lru_cache(maxsize=32)
def findings_of(content: bytes, *, model: str = "", software_type: str | None = None) -> tuple[sep.Finding, ...]:
    """What the checker says. It is asked several times on the way of one file, which goes to phones of few models."""
    return tuple(sep.check(content, model=model, software_type=software_type or None))


def findings_for(profile: PhoneProfile) -> tuple[sep.Finding, ...]:
    """What the checker says of a profile, for the phone that it is for where that is one model."""
    models = profile.compatible_models
    model = models[0] if len(models) == 1 else ""
    found = findings_of(profile.content, model=model, software_type=profile.software_type)
    if is_made(profile):
        # Lines come from the phone, and this file is made without one.
        found = tuple(each for each in found if each.code != "no-line")
    return (*found, *unknown_models(models))


def unknown_models(models: Iterable[str]) -> list[sep.Finding]:
    """A warning for each that is in no catalogue: a misspelt one would fit no phone, or be checked for nothing."""
    text = "{} is no phone model that Patchbay knows, so nothing is checked that depends on it. Is it misspelt?"
    unknown = [model for model in models if model and sep.catalogue.find(model) is None]
    return [sep.Finding("unknown-model", sep.Severity.WARNING, text.format(model)) for model in unknown]


def check_suits(profile: PhoneProfile, *, account: int, model: str, software_type: str | None) -> None:
    """Whether the profile is one for such a phone, as far as can be told without reading its file. Raises Refusal."""
    if profile.user.account_id not in (None, account):
        # A file holds the SIP credentials of its account. Profiles of staff are for everybody's phones.
        raise Refusal("another-account", "The profile and the phone belong to different accounts.")
    models = {sep.catalogue.normalise_model(each) for each in profile.compatible_models}
    if models and sep.catalogue.normalise_model(model) not in models:
        raise Refusal(
            "model-mismatch",
            f"The profile is for models {', '.join(sorted(models))}; the phone is a {model or 'phone of unknown model'}.",
        )
    if not sep.catalogue.same_software(profile.software_type, software_type):
        raise Refusal(
            "software-mismatch", f"The profile is for {profile.software_type} software; the phone runs {software_type}."
        )


def check_content(content: bytes, *, model: str = "", software_type: str | None = None) -> list[sep.Finding]:
    """The warnings of a file that may be stored. Raises ProfileRefused when there are errors."""
    findings = findings_of(content, model=model, software_type=software_type or None)
    if errors := [finding for finding in findings if finding.severity is sep.Severity.ERROR]:
        raise ProfileRefused(errors)
    return list(findings)


@transaction.atomic
def create_profile(
    *,
    actor: Actor,
    user: User,
    name: str,
    content: bytes = b"",
    source: Source = Source.FILE,
    template: PhoneTemplate | None = None,
    description: str | None = None,
    compatible_models: Iterable[str] = (),
    software_type: str | None = None,
    reason: str = "",
) -> PhoneProfile:
    """A new profile with its first revision. Of one that is made from data the file may be missing (`render_error`).

    Raises ProfileRefused, or another Refusal where the template is not one for it.
    """
    profile = PhoneProfile(
        user=user,
        name=name,
        source=source,
        template=template,
        description=description,
        compatible_models=list(compatible_models),
        software_type=software_type or None,
    )
    check_source(profile)
    if source == Source.FILE:
        check_content(content, software_type=software_type)
    profile.save()
    if source == Source.FILE:
        _add_revision(profile, content, actor, reason)
    else:
        remake(profile)
    return profile


@transaction.atomic
def update_profile(
    profile: PhoneProfile, *, actor: Actor, content: bytes | None = None, reason: str = "", **fields: Any
) -> PhoneProfile:
    """Change fields and, with `content`, add a revision unless the bytes are those of the latest one.

    One whose file is made from data takes no other file, unless its source becomes a file with it. Without one it keeps
    the file that it has then. Raises ProfileRefused when the file (the new or the present one) does not fit the software
    it is meant for, MadeFromData, or WrongSource.
    """
    profile = PhoneProfile.objects.select_for_update().get(pk=profile.pk)
    for name, value in fields.items():
        setattr(profile, name, value)
    check_source(profile)
    if profile.source != Source.FILE:
        if content is not None and content != profile.content:
            raise MadeFromData(profile)
        profile.save()
        remake(profile)
        return profile
    profile.render_at, profile.render_error = None, ""
    if content is not None or {"software_type", "source"} & fields.keys():
        check_content(profile.content if content is None else content, software_type=profile.software_type)
    profile.save()
    if content is not None and content != profile.content:
        _add_revision(profile, content, actor, reason)
    return profile


def restore_revision(revision: ProfileRevision, *, actor: Actor, reason: str = "") -> PhoneProfile:
    """Make what the profile said once what it says now, as a new revision.

    Raises Refusal `nothing-to-restore`, or ProfileRefused when the file does not pass today's checks.
    """
    profile = PhoneProfile.objects.select_related("revision").get(pk=revision.profile_id)
    content = bytes(revision.content)
    if content == profile.content:
        raise Refusal("nothing-to-restore", f"The profile says what {revision} says already.")
    why = one_line(f"Restored {revision}" + (f": {reason}" if reason else ""))
    with because(why):
        return update_profile(profile, actor=actor, content=content, reason=why)


def _add_revision(profile: PhoneProfile, content: bytes, actor: Actor, reason: str) -> None:
    # Whoever gives none of its own has said it for the request, in a header or in a form of the admin.
    add_revision(profile, content, author=actor.label, channel=actor.channel, reason=reason or current_author().reason)
