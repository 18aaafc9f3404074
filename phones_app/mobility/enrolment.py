"""Phones that nobody knows become phones of an account: a person asks with extension and PIN, or with an activation code
(mobility spec §6). What the new phone shows meanwhile is `pages/enrolment.py`.
"""

import secrets
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from contacts_app.accounts.models import Account
from contacts_app.core.actor import Actor
from contacts_app.core.errors import Refusal
from contacts_app.core.history.records import create_recorded, update_recorded
from contacts_app.core.values import digits
from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.boot.models import FileFetch
from phones_app.deployment.request import deploy
from phones_app.inventory.models import Phone, Presence
from phones_app.mobility import pins
from phones_app.mobility.models import EnrolmentCode, EnrolmentRequest
from phones_app.mobility.policy import profiles_for
from phones_app.mobility.replacement import Handset, replace_handset
from profiles_app.events.outbox import emit
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, SoftwareType

State = EnrolmentRequest.State
CODE_DIGITS, MOST_CODES = 16, 1000
PUSH_USER = "patchbay"
# A phone that asks to be enrolled has fetched its file a moment ago; somebody may have gone to look for the code.
FETCHED_WITHIN = timedelta(hours=24)


class CodeRefused(Exception):
    """The code is wrong, used, expired or of elsewhere, or there were too many failures: no answer tells which."""


def digest_of(code: str) -> str:
    return salted_hmac("enrolment code", digits(code), algorithm="sha256").hexdigest()


def make_codes(
    *,
    account: Account,
    expires_at: datetime,
    actor: Actor,
    phone: Phone | None = None,
    profile: PhoneProfile | None = None,
    name: str = "",
    location: str = "",
    count: int = 1,
) -> list[tuple[EnrolmentCode, str]]:
    """New activation codes, each with its digits, which are kept nowhere. Raises Refusal."""
    deployed = profile or (phone.current_profile if phone else None)
    if deployed is None:
        raise Refusal("no-profile", "Choose a phone profile: the prepared phone has none.")
    if phone is not None and (phone.account_id != account.pk or count > 1):
        raise Refusal("wrong-phone", "A code for a prepared phone is one code, for a phone of the account.")
    if deployed.user.account_id not in (None, account.pk):
        raise Refusal("another-account", "The profile belongs to another account.")
    if not 1 <= count <= MOST_CODES or expires_at <= timezone.now():
        raise Refusal("bad-codes", f"From 1 to {MOST_CODES} codes are made at once, and they expire later than now.")
    texts = [f"{secrets.randbelow(10**CODE_DIGITS):0{CODE_DIGITS}d}" for _ in range(count)]
    values = {"account": account, "phone": phone, "profile": profile, "name": name, "location": location}
    rows = create_recorded(
        EnrolmentCode(
            **values, digest=digest_of(text), ending=text[-4:], expires_at=expires_at, created_by=actor.author
        )
        for text in texts
    )
    return list(zip(rows, texts, strict=True))


def usable_code(text: str, *, mac: str, account: Account | None) -> EnrolmentCode:
    """The code that was typed at a phone, counted as a try of this phone. Raises CodeRefused."""
    if not pins.may_try(mac=mac, user=None):
        raise CodeRefused
    codes = EnrolmentCode.objects.filter(digest=digest_of(text), used_at=None, expires_at__gt=timezone.now())
    code = codes.filter(account__is_active=True).select_related("account", "phone", "profile").first()
    if code is None or (account is not None and code.account_id != account.pk):
        raise CodeRefused
    pins.succeeded(mac=mac, user=None)
    return code


def profiles_at(user: User, handset: Handset, account: Account) -> list[PhoneProfile]:
    """The person's profiles that fit the new phone."""
    return profiles_for(user, _here(Phone(mac=handset.mac, account=account), handset))


def phones_of(user: User) -> list[Phone]:
    """The phones that run a profile of the person, first those that are not to be reached: they are to be replaced."""
    rows = Phone.objects.filter(current_profile__user=user, account=user.account_id, is_active=True)
    return sorted(rows, key=lambda phone: (phone.presence == Presence.REACHABLE, phone.mac))


def fetched_lately(mac: str, address: str) -> bool:
    """Whether a phone of this name has asked the file server from this address: the name in a request proves nothing."""
    fetches = FileFetch.objects.filter(mac=mac, fetched_at__gt=clock.now() - FETCHED_WITHIN)
    plain = address.removeprefix("::ffff:")
    return fetches.filter(address__in=(plain, f"::ffff:{plain}")).exists()


def ask_for(
    handset: Handset,
    *,
    user: User | None = None,
    code: EnrolmentCode | None = None,
    profile: PhoneProfile | None = None,
    replaces: Phone | None = None,
) -> EnrolmentRequest:
    """Enrol the phone for the person or with the code, at once or when staff have approved it. Raises Refusal."""
    account = code.account if code else user.account if user else None
    if account is None:
        raise Refusal("no-account", "This person has no account.")
    actor = user.as_actor("phone") if user else Actor(str(code), "phone", account=account)
    lately = EnrolmentRequest.objects.filter(created_at__gt=clock.now() - timedelta(hours=1))
    if lately.count() >= settings.ENROLMENT_PER_HOUR:
        raise Refusal("too-many", "Too many phones are being enrolled. Try again later.")
    try:
        with transaction.atomic():
            if code is not None:
                profile = code.profile
                _use(code, handset.mac)
            request = EnrolmentRequest.objects.create(
                account=account,
                mac=handset.mac,
                address=handset.address or "",
                model=handset.model,
                user=user,
                code=code,
                profile=profile,
                replaces=replaces or (code.phone if code else None) or _prepared(handset.mac, account),
            )
            if settings.ENROLMENT_APPROVAL:
                _tell("enrolment-requested", request, None)
            else:
                _carry_out(request, actor)
    except IntegrityError:
        raise Refusal("waiting", "This phone is being enrolled already.") from None
    return request


def approve(request: EnrolmentRequest, *, actor: Actor) -> None:
    """Do what was asked for. Raises Refusal."""
    with transaction.atomic():
        _carry_out(_still_waiting(request), actor)
    request.refresh_from_db()


def refuse(request: EnrolmentRequest, *, actor: Actor, reason: str = "") -> None:
    """The phone says so. The code stays used: whoever typed it was not to. Raises Refusal."""
    with transaction.atomic():
        _decided(_still_waiting(request), actor, state=State.REFUSED, reason=reason[:255])
    request.refresh_from_db()


def _still_waiting(request: EnrolmentRequest) -> EnrolmentRequest:
    row = EnrolmentRequest.objects.select_for_update(of=("self",)).get(pk=request.pk)
    if row.state != State.WAITING:
        raise Refusal("decided", f"This was decided already: {row.get_state_display()}.")
    return row


def _prepared(mac: str, account: Account) -> Phone | None:
    """The row that staff made for this very phone, as for a code of its own. Raises Refusal."""
    row = Phone.objects.filter(mac=mac).first()
    if row is None or row.account_id == account.pk:
        return None if row is None or row.replaced_by_id else row
    if row.replaced_by_id:
        raise Refusal("mac-in-use", "This phone was replaced in another account, and has to be deleted there first.")
    raise Refusal("mac-in-use", "This phone is prepared for somebody else: take its activation code.")


def _use(code: EnrolmentCode, mac: str) -> None:
    """Raises Refusal when another phone was quicker."""
    free = EnrolmentCode.objects.filter(pk=code.pk, used_at=None)
    if not update_recorded(free, used_at=timezone.now(), used_by=mac):
        raise Refusal("code-used", "This code was used already.")


def _carry_out(request: EnrolmentRequest, actor: Actor) -> None:
    handset = Handset(request.mac, request.model, request.address or None)
    prepared, why = request.replaces, "Enrolled at the phone"
    if prepared is not None and prepared.mac != request.mac:
        phone = prepared
        _let_push(phone)
        profile = request.profile
        deployment = replace_handset(phone, handset, actor=actor, profile=profile, reason=why).deployment
        phone.refresh_from_db()
    else:
        phone = _here(prepared, handset) if prepared else _new(request, handset)
        _let_push(phone)
        phone.save()
        profile = request.profile or phone.current_profile
        if profile is None:
            raise Refusal("no-profile", "There is no profile for this phone.")
        deployment = deploy(phone=phone, profile=profile, actor=actor)
    request.phone, request.deployment = phone, deployment
    _decided(request, actor, state=State.DONE)
    _tell("phone-enrolled", request, phone)


def _decided(request: EnrolmentRequest, actor: Actor, **values: str) -> None:
    for name, value in values.items():
        setattr(request, name, value)
    request.decided_at, request.decided_by = timezone.now(), actor.label
    request.save()


def _new(request: EnrolmentRequest, handset: Handset) -> Phone:
    # A retired handset may come back; what it was stays in the history of deleted records.
    Phone.objects.filter(mac=handset.mac, account=request.account).exclude(replaced_by=None).delete()
    person, code = request.user, request.code
    phone = Phone(
        mac=handset.mac,
        account=request.account,
        name=(code.name if code else "") or (person.get_full_name() if person else ""),
        location=(code.location if code else "") or ((person.location or "") if person else ""),
    )
    return _here(phone, handset)


def _here(phone: Phone, handset: Handset) -> Phone:
    """The row of the phone itself, with what it says of itself."""
    phone.model = handset.model or phone.model
    phone.software_type = phone.software_type or _software_of(phone.model)
    phone.phone_ip = handset.address
    return phone


def _let_push(phone: Phone) -> None:
    """By the enrolment file the phone asks us about pushes, which press its keys: it has no line for a NOTIFY."""
    if phone.web_username and phone.web_password:
        return
    phone.web_username, phone.web_password = phone.web_username or PUSH_USER, secrets.token_urlsafe(18)
    if phone.pk:
        phone.save(update_fields=["web_username", "web_password", "updated_at"])


def _software_of(model: str) -> str | None:
    """What the model runs where it reads such files with one kind of firmware only."""
    device = sep.catalogue.find(model)
    spoken = device.protocols & {SoftwareType.SIP, SoftwareType.SCCP} if device else frozenset()
    return str(next(iter(spoken))) if len(spoken) == 1 else None


def _tell(tag: str, request: EnrolmentRequest, phone: Phone | None) -> None:
    emit(
        account=request.account,
        tags=("phone", tag),
        data_type="phone",
        data={
            "mac": sep.colons(request.mac),
            "name": phone.name if phone else "",
            "model": request.model,
            "ip": request.address,
            "person": request.user.email if request.user else "",
            "profile": request.profile.name if request.profile else "",
        },
        data_object_uuid=phone.uuid if phone else request.uuid,
    )
