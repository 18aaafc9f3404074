"""A small believable customer with people, phones and profiles, all of them invented."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q

from contacts_app.accounts.models import Account, Extension
from contacts_app.accounts.services import create_account
from contacts_app.core.history.records import create_recorded
from contacts_app.core.work import clock
from contacts_app.people.models import User
from phones_app.boot.services import embedded_file_server
from phones_app.configuration.changes import note_files
from phones_app.configuration.rendering import Rendered, revisions_for
from phones_app.demo import made
from phones_app.demo.files import PEOPLE, PHONES, PROFILES, DemoPerson, DemoPhone, DemoProfile, sep_file
from phones_app.demo.parts.base import ACTOR, Scene
from phones_app.demo.parts.table import make_parts
from phones_app.demo.simulation import put_first_file, simulated_phone
from phones_app.deployment.models import FileState, PhoneFile
from phones_app.deployment.record import check_pause
from phones_app.inventory.models import Phone
from phones_app.mobility.enrolment import make_codes
from phones_app.mobility.models import EnrolmentCode
from profiles_app.phone import sep
from profiles_app.phone.models import PhoneProfile, PhoneTemplate, ProfileRevision, Source
from profiles_app.phone.services import create_profile, update_profile

ACCOUNT_NAME, ACCOUNT_EMAIL = "Harbour Hotel", "office@harbour-hotel.example"
CODE_LASTS = timedelta(days=30)


@dataclass
class Demo:
    """What was done: rows made, profiles renewed for another URL, files laid down for phones to boot from; and the
    activation code of the phone that is still to be enrolled.
    """

    account: Account
    created: bool
    renewed: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    new_phone: str = ""
    code: str = ""
    # Further parts that were made, and what is said of them once.
    parts: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)


def demo_account() -> Account | None:
    return Account.objects.filter(email=ACCOUNT_EMAIL).first()


def demo_profile(name: str) -> PhoneProfile | None:
    """One of the demo's profiles, if people have left it there."""
    return PhoneProfile.objects.filter(user__account__email=ACCOUNT_EMAIL, name=name).first()


def load_demo(*, url: str, dry_run: bool = False) -> Demo:
    """Make the demo, or bring its profiles to this URL. What people deleted or changed stays so."""
    with transaction.atomic():
        embedded_file_server()
        before: dict[int, bytes] = {}
        if account := demo_account():
            demo = Demo(account, False)
            before = _renew(demo, url)
        else:
            demo = Demo(create_account(name=ACCOUNT_NAME, email=ACCOUNT_EMAIL), True)
            _create(demo.account, url)
        _make_code(demo)
        scene = Scene(demo.account, url)
        demo.parts, demo.said = make_parts(scene), scene.said
        transaction.set_rollback(dry_run)
    if dry_run:
        return demo
    # Files come after the rows are there for good; whatever a crash leaves out, the next run lays down.
    _lay_files(demo, before)
    return demo


def _create(account: Account, url: str) -> None:
    people = {person.key: _person(account, person) for person in PEOPLE}
    made.make_layers(account, url)
    templates = made.make_templates(account)
    profiles = {}
    for profile in PROFILES:
        if profile.source != Source.FILE:
            made.give_lines(profile.lines, user=people[profile.owner])
        profiles[profile.name] = _profile(people, profile, url, templates.get(profile.template))
    made.make_profile_layers(account, url, profiles)
    keyed = [*(line for profile in PROFILES for line in profile.lines), *(line for one in PHONES for line in one.lines)]
    numbers = {line.number: line.label for line in keyed}
    create_recorded(Extension(account=account, number=int(n), name=name) for n, name in sorted(numbers.items()))
    for place, phone in enumerate(PHONES):
        made.give_lines(phone.lines, phone=_phone(account, phone, place, profiles[phone.profile]))


def _person(account: Account, person: DemoPerson) -> User:
    user = User(
        email=f"{person.key}@harbour-hotel.example",
        first_name=person.first_name,
        last_name=person.last_name,
        account=account,
        permission_level=person.level,
        phone=person.phone,
        location=person.location,
        timezone="Europe/London",
    )
    # A password in a public repository would be none: staff set one if they want to log in.
    user.set_unusable_password()
    user.set_pin(person.pin)
    user.save()
    return user


def _profile(
    people: Mapping[str, User], profile: DemoProfile, url: str, template: PhoneTemplate | None
) -> PhoneProfile:
    return create_profile(
        actor=ACTOR,
        user=people[profile.owner],
        name=profile.name,
        description=profile.description,
        compatible_models=profile.models,
        software_type=profile.software_type,
        source=profile.source,
        template=template,
        content=_content(profile, url) if profile.source == Source.FILE else b"",
        reason="Demo data",
    )


def _content(profile: DemoProfile, url: str) -> bytes:
    return sep_file(name=profile.name, software_type=profile.software_type, lines=profile.lines, portal=url)


def _phone(account: Account, phone: DemoPhone, place: int, profile: PhoneProfile) -> Phone:
    row = simulated_phone(
        place,
        mac=phone.mac,
        model=phone.model,
        software_type=phone.software_type,
        # One of its own, so that what it asks for is known to be its; but for the new one, which enrols on loopback.
        address="" if phone.is_new else f"127.0.1.{place + 1}",
        account=account,
        name=phone.name,
        hostname=sep.file_name(phone.mac).partition(".")[0],
        location=phone.location,
        phone_vlan=phone.vlan,
        current_profile=None if phone.is_new else profile,
        base_profile=profile if phone.anybody else None,
    )
    row.software_version = phone.runs or row.software_version
    row.save(force_insert=True)
    return row


def _make_code(demo: Demo) -> None:
    """Its digits are kept nowhere, so each run makes another one, until the phone is enrolled."""
    wanted = next(phone for phone in PHONES if phone.is_new)
    phones = Phone.objects.filter(account=demo.account, mac=wanted.mac, current_profile=None)
    phone, profile = phones.select_related("account").first(), demo_profile(wanted.profile)
    codes = EnrolmentCode.objects.filter(phone=phone)
    if phone is None or profile is None or codes.exclude(used_at=None).exists():
        return
    codes.delete()
    expires_at = clock.now() + CODE_LASTS
    [(_, code)] = make_codes(account=demo.account, phone=phone, profile=profile, expires_at=expires_at, actor=ACTOR)
    demo.new_phone, demo.code = phone.mac_with_colons, code


def _own_profiles(account: Account) -> dict[str, PhoneProfile]:
    """The demo's files that no person has changed since, by the profile's name; the author of the last revision tells."""
    rows = PhoneProfile.objects.filter(
        user__account=account, source=Source.FILE, revision__channel=ACTOR.channel
    ).select_related("revision")
    return {profile.name: profile for profile in rows}


def _renew(demo: Demo, url: str) -> dict[int, bytes]:
    """What speaks of another URL is brought to this one; what phones were to run before, by their key."""
    own = _own_profiles(demo.account)
    # A demo of before may have files of names that are made from data in this one: they stay as they are.
    files = [profile for profile in PROFILES if profile.source == Source.FILE and profile.name in own]
    contents = {profile.name: _content(profile, url) for profile in files}
    renewed = {name: content for name, content in contents.items() if own[name].content != content}
    layers = made.layers_elsewhere(demo.account, url)
    if not renewed and not layers:
        return {}
    before = {phone.pk: rendered.content for phone, rendered in _wanted(demo.account, _macs(), store=False)}
    for name, content in renewed.items():
        update_profile(own[name], actor=ACTOR, content=content, reason="The portal's address has changed")
        demo.renewed.append(name)
    for layer in layers:
        layer.save()
    return before


def _macs() -> list[str]:
    return [phone.mac for phone in PHONES]


def _wanted(account: Account, macs: Sequence[str], *, store: bool) -> list[tuple[Phone, Rendered]]:
    """Phones of the demo with the file of each, but for files that people have changed."""
    own = [profile.pk for profile in _own_profiles(account).values()]
    of_demo = Q(current_profile__in=own) | ~Q(current_profile__source=Source.FILE)
    phones = Phone.objects.filter(of_demo, account=account, mac__in=macs, current_profile__isnull=False)
    found = list(phones.select_related("account").order_by("mac"))
    outcomes = revisions_for(found, store=store)
    pairs = ((phone, outcomes.get(phone.pk)) for phone in found)
    return [(phone, outcome) for phone, outcome in pairs if isinstance(outcome, Rendered)]


def _lay_files(demo: Demo, before: Mapping[int, bytes]) -> None:
    """Give each phone the file of what it runs, where there is none, or one that was just renewed."""
    there = {mac: _file_of(mac) for mac in _macs()}
    candidates = [mac for mac, content in there.items() if content is None or before]
    for phone, wanted in _wanted(demo.account, candidates, store=True) if candidates else ():
        content = there[phone.mac]
        if content is None or content == before.get(phone.pk) != wanted.content:
            put_first_file(phone.mac, wanted.content)
            _note_file(phone, wanted.revision)
            demo.files.append(sep.file_name(phone.mac))


def _file_of(mac: str) -> bytes | None:
    path = settings.PHONE_FILES_DIR / sep.file_name(mac)
    return path.read_bytes() if path.exists() else None


def _note_file(phone: Phone, revision: ProfileRevision) -> None:
    """What an upload would have written down: that the phone's file is there, and whose it is."""
    now = clock.now()
    there = {"server": embedded_file_server(), "revision": revision, "sha256": revision.sha256, "uploaded_at": now}
    times = {"state": FileState.IN_PLACE, "state_since": now, "next_check_at": now + check_pause()}
    PhoneFile.objects.update_or_create(phone=phone, defaults=there | times)
    note_files([phone.pk])
