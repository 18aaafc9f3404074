"""What people do about drift: put the uploaded file back, or adopt what was found as a new revision."""

from collections.abc import Iterable

from django.db import transaction

from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.lists.among import among
from contacts_app.core.work import clock
from contacts_app.core.work.wake import nudge_after_commit
from phones_app.configuration.changes import note_files
from phones_app.deployment.models import Deployment, FileState, PhoneFile, State
from phones_app.deployment.request import BATCH, DEPLOYMENTS, Deployed, check_compatible, request_of
from phones_app.deployment.transitions import queued
from profiles_app.phone import sep
from profiles_app.phone.models import ProfileRevision
from profiles_app.phone.services import update_profile


def put_back(file: PhoneFile, *, actor: Actor) -> Deployment:
    """Ask for the uploaded file on the server, without a restart: the phone runs on it. Raises Refusal."""
    done = put_back_many([file], actor=actor)
    if done.refused:
        raise done.refused[0][1]
    return done.deployments[0]


def put_back_many(files: Iterable[PhoneFile], *, actor: Actor) -> Deployed:
    """The same for many. Queued deployments, which may bring newer files, are not superseded by it."""
    done, rows = Deployed(), list(files)
    open_ones = Deployment.objects.filter(phone__in=among([file.pk for file in rows]), finished_at=None)
    waiting = set(open_ones.filter(state=State.QUEUED).values_list("phone", flat=True))
    for file in rows:
        try:
            if file.pk in waiting:
                raise Refusal("deployment-queued", "A deployment of the phone is queued: wait for it, or cancel it.")
            done.deployments.append(_upload(file, actor))
        except Refusal as refusal:
            done.refused.append((file.phone, refusal))
    for start in range(0, len(done.deployments), BATCH):
        batch = done.deployments[start : start + BATCH]
        with transaction.atomic():
            queued(batch, phones=[row.phone_id for row in batch if row.phone_id])
            nudge_after_commit(DEPLOYMENTS)
    return done


def _upload(file: PhoneFile, actor: Actor) -> Deployment:
    revision = _drifted(file)
    profile, phone = revision.profile, file.phone
    check_compatible(phone, profile, revision)
    return request_of(phone, actor, profile, revision, Deployment.Kind.UPLOAD)


@transaction.atomic
def adopt(file: PhoneFile, *, actor: Actor, reason: str = "") -> ProfileRevision:
    """Make what was found the profile's new revision, after the checks of every revision. Raises Refusal.

    Other phones with this profile keep what they have until somebody deploys it to them.
    """
    revision = _drifted(file)
    if not file.found:
        raise Refusal("file-missing", "There is no file on the server that could be adopted.")
    if not actor.sees(type(revision.profile)._default_manager.all(), "user__account").filter(pk=revision.profile_id):
        raise Refusal("another-account", "The profile belongs to another account.")
    phone, found = file.phone, bytes(file.found)
    if sep.format_of_content(phone.model, found) != file.file_format:
        raise Refusal("model-format", f"What was found is no content of {file.file_name}.")
    why = reason or f"Found on the file server at {phone.mac_with_colons}"
    profile = update_profile(revision.profile, actor=actor, content=found, reason=why)
    now = clock.now()
    as_found = PhoneFile.objects.filter(pk=file.pk, uploaded_at=file.uploaded_at, found_sha256=file.found_sha256)
    adopted = as_found.update(
        revision=profile.revision,
        sha256=file.found_sha256,
        state=FileState.IN_PLACE,
        state_since=now,
        found_sha256="",
        found=None,
    )
    if not adopted:
        raise Refusal("file-changed", "The file was uploaded or read back meanwhile: look at it again.")
    note_files([file.pk])
    assert profile.revision is not None  # noqa: S101 (it was just given one)
    return profile.revision


def _drifted(file: PhoneFile) -> ProfileRevision:
    if not file.is_drifted:
        raise Refusal("file-in-place", "The file on the server is the one that was uploaded.")
    if file.revision is None:
        raise Refusal("profile-deleted", "The profile of the uploaded file was deleted.")
    return file.revision
