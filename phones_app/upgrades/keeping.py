"""The load of a phone is kept where its file comes from, so that the next ordinary deployment does not undo it.

Of a file that is made from data it is a value of the phone's own layer, until the layers below say the same. A file that
is written by hand gets a revision with it, if it is this phone's alone.
"""

from django.db import transaction

from contacts_app.core.history.authorship import Author, authored, one_line
from phones_app.configuration.gather import LOAD, layers_of
from phones_app.configuration.models import Layer
from phones_app.deployment.models import Deployment
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout
from profiles_app.phone.models import PhoneProfile, ProfileRevision, is_made
from profiles_app.phone.rendering.values import merge
from profiles_app.phone.sources import add_revision


def author_of(rollout: Rollout) -> Author:
    return Author(rollout.requested_by, "task", rollout.user_id, reason=one_line(f"Rollout {rollout}"))


@transaction.atomic
def keep(phone: Phone, deployment: Deployment, load: str, author: Author) -> str:
    """The phone's file says this from now on. Returns why that is not so, "" where it is."""
    profile = deployment.profile
    if profile is None or deployment.revision is None:
        return "The profile was deleted."
    with authored(lambda: author):
        if is_made(profile):
            layer = Layer.objects.select_for_update().filter(phone=phone).first()
            layer = layer or Layer(kind=Layer.Kind.PHONE, account_id=phone.account_id, phone=phone)
            if layer.values.get(LOAD) != load:
                layer.values = layer.values | {LOAD: load}
                layer.save()
            return ""
        return _in_file(profile, deployment.revision, author)


def _in_file(profile: PhoneProfile, made: ProfileRevision, author: Author) -> str:
    locked = PhoneProfile.objects.select_for_update(of=("self",)).select_related("revision").get(pk=profile.pk)
    if locked.revision is not None and locked.revision.sha256 == made.sha256:
        return ""
    if locked.phones.count() > 1:
        return f"Other phones have the profile {locked.name} now, so that it was left as it is."
    add_revision(locked, bytes(made.content), author=author.label, channel=author.channel, reason=author.reason)
    return ""


@transaction.atomic
def tidy(phone: Phone, load: str, author: Author) -> None:
    """Take the value out of the phone's layer where its file is the same without it."""
    layer = Layer.objects.select_for_update().filter(phone=phone).first()
    gathered = layers_of([phone]).get(phone.pk)
    if layer is None or gathered is None or layer.values.get(LOAD) != load or LOAD in layer.locks:
        return
    others = [each for each in gathered.layers if each.key != str(layer.uuid)]
    without = merge(others).get(LOAD)
    if without is None or without.value != load:
        return
    with authored(lambda: author):
        layer.values = {name: value for name, value in layer.values.items() if name != LOAD}
        is_empty = not (layer.values or layer.secret_values or layer.locks or layer.fragments or layer.key_layout_id)
        if is_empty and not layer.line_uses.exists():
            layer.delete()
        else:
            layer.save()
