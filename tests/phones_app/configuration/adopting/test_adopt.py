"""A folder of files becomes rows that give every file back; what cannot be adopted is told and left as it is."""

from collections import Counter

import pytest
from django.apps import apps

from contacts_app.core.actor import system
from contacts_app.core.errors import Refusal
from contacts_app.core.uploads import NamedBytes
from phones_app.configuration.adopting.adopt import AdoptTarget, adopt
from phones_app.configuration.adopting.places import PhonePlace
from phones_app.configuration.adopting.report import Adoption, AdoptResult
from phones_app.configuration.models import Layer, LayerLine, PhoneConfiguration
from phones_app.configuration.rendering import revisions_for
from phones_app.deployment.models import Deployment
from phones_app.inventory.import_folder import ImportTarget, import_file
from phones_app.inventory.models import Phone
from profiles_app.phone.adopting import SepFile
from profiles_app.phone.models import Line, PhoneProfile, PhoneTemplate, Source
from tests.profiles_app.phone.adopting.fleet import LOCATIONS, fleet, mac_of

pytestmark = pytest.mark.django_db
FILES = 18


@pytest.fixture(scope="module")
def files() -> list[SepFile]:
    return fleet(FILES)


@pytest.fixture
def target(alice) -> AdoptTarget:
    places = {file.mac: PhonePlace(file.location, file.model) for file in fleet(FILES)}
    return AdoptTarget(alice.account, alice, places)


def adopted(files: list[SepFile], target: AdoptTarget, **options: object) -> Adoption:
    return adopt([NamedBytes(file.name, file.content) for file in files], target, actor=system("command"), **options)


def made(phones: list[Phone]) -> dict[str, bytes]:
    """The file of each phone as the portal makes it now."""
    found = revisions_for(phones, store=False)
    assert not [outcome for outcome in found.values() if isinstance(outcome, Refusal)]
    return {phone.mac: found[phone.pk].content for phone in phones}


def rows() -> Counter:
    return Counter({model._meta.label: model._base_manager.count() for model in apps.get_models()})


def test_every_phone_is_made_from_data_and_its_file_is_what_it_was(files, target):
    adoption = adopted(files, target)

    assert adoption.sentence.startswith(f"{FILES} files → 6 templates, 1 account layer, 3 location layers, ")
    assert adoption.outcomes == {AdoptResult.ADOPTED: FILES}
    phones = list(Phone.objects.select_related("current_profile"))
    assert made(phones) == {file.mac: file.content for file in files}
    assert {phone.current_profile.source for phone in phones} == {Source.TEMPLATE}
    assert {phone.location for phone in phones} == set(LOCATIONS)
    assert (PhoneTemplate.objects.count(), PhoneProfile.objects.count()) == (6, 6)
    assert PhoneConfiguration.objects.count() == FILES
    assert not Deployment.objects.exists()


def test_passwords_are_encrypted_in_layers_and_lines(files, target):
    adopted(files, target)
    account = Layer.objects.get(kind="account")
    assert "ssh_password" not in account.values
    assert account.secrets == {"ssh_password": "shared-by-all"}
    assert Line.objects.get(extension="2000").auth_password == "secret-0&x"
    assert LayerLine.objects.filter(line__extension="1999").count() == FILES // 6


def test_a_dry_run_says_the_same_and_writes_nothing(files, target):
    before = rows()
    dry = adopted(files, target, dry_run=True)
    assert rows() == before
    assert dry.sentence == adopted(files, target).sentence


def test_a_second_run_changes_nothing(files, target):
    adopted(files, target)
    before = rows()
    again = adopted(files, target)
    assert again.outcomes == {AdoptResult.UNCHANGED: FILES}
    assert again.sentence == f"{FILES} files → 0 templates, 0 phones identical, {FILES} unchanged"
    assert rows() == before


def test_files_that_are_none_are_told_and_the_others_adopted(files, target):
    broken, other = files[0], files[1]
    told = adopt(
        [
            NamedBytes(broken.name, b"<device><oops></device>"),
            NamedBytes("readme.txt", b"hello"),
            NamedBytes(f"a/{other.name}", other.content),
            NamedBytes(f"b/{other.name}", other.content),
        ],
        target,
        actor=system("command"),
    )
    assert [(file.outcome, file.code) for file in told.files] == [
        (AdoptResult.REFUSED, "not-well-formed"),
        (AdoptResult.IGNORED, "file-name"),
        (AdoptResult.ADOPTED, ""),
        (AdoptResult.REFUSED, "twice"),
    ]
    assert Phone.objects.get().mac == other.mac


def test_a_file_that_cannot_be_made_from_data_stays_the_profile_of_its_phone(files, target):
    content = files[0].content.replace(b"</device>", b"<!--" + b"{{" * 60_000 + b"--></device>")
    told = adopt([NamedBytes(files[0].name, content)], target, actor=system("command"))
    assert [(file.outcome, file.code) for file in told.files] == [(AdoptResult.KEPT, "not-identical")]
    phone = Phone.objects.select_related("current_profile").get()
    assert (phone.current_profile.source, phone.current_profile.content) == (Source.FILE, content)
    assert not PhoneTemplate.objects.exists()
    again = adopt([NamedBytes(files[0].name, content)], target, actor=system("command"))
    assert [file.outcome for file in again.files] == [AdoptResult.KEPT]
    assert PhoneProfile.objects.count() == 1


def test_layers_that_are_there_stay_as_they_are_and_files_still_come_back(files, target):
    account = Layer.objects.create(
        account=target.account, kind="account", values={"time_zone": "GMT Standard/Daylight Time"}
    )
    leeds = Layer.objects.create(account=target.account, kind="location", name="leeds", values={"date_format": "M/D/Y"})
    adoption = adopted(files, target)
    assert adoption.outcomes == {AdoptResult.ADOPTED: FILES}
    for layer, name in ((account, "time_zone"), (leeds, "date_format")):
        before = layer.values[name]
        layer.refresh_from_db()
        assert layer.values[name] == before


def test_what_other_phones_of_the_account_are_made_of_is_not_changed(files, target, alice):
    profile = PhoneProfile.objects.create(user=alice, name="Built in", source=Source.BUILT_IN)
    Layer.objects.create(profile=profile, kind="profile", account=alice.account, values={"call_managers": "192.0.2.9"})
    other = Phone.objects.create(
        mac=mac_of(5000),
        account=alice.account,
        model="8845",
        software_type="SIP",
        location="Leeds",
        current_profile=profile,
    )
    layer = Layer.objects.create(account=alice.account, kind="phone", phone=other)
    line = Line.objects.create(account=alice.account, extension="7001")
    LayerLine.objects.create(layer=layer, line=line)
    before = made([other])
    assert adopted(files, target).outcomes == {AdoptResult.ADOPTED: FILES}
    assert made([other]) == before


def test_a_lock_that_refuses_the_values_of_files_keeps_them_as_files(files, target):
    Layer.objects.create(account=target.account, kind="account", values={"sip_port": "5070"}, locks=["sip_port"])
    told = adopted(files[:1], target)
    assert [file.outcome for file in told.files] == [AdoptResult.KEPT]
    assert f"sip_port is locked by account {target.account.name}" in told.files[0].reason
    assert Phone.objects.get().current_profile.source == Source.FILE


def test_a_phone_that_has_another_profile_or_values_of_its_own_is_left_alone(files, target, alice):
    profile = PhoneProfile.objects.create(user=alice, name="Built in", source=Source.BUILT_IN)
    Phone.objects.create(mac=files[0].mac, account=alice.account, model="8845", current_profile=profile)
    phone = Phone.objects.create(mac=files[1].mac, account=alice.account, model="8851")
    Layer.objects.create(account=alice.account, kind="phone", phone=phone, values={"phone_label": "Mine"})
    told = adopted(files[:2], target)
    assert [(file.outcome, file.code) for file in told.files] == [
        (AdoptResult.REFUSED, "other-profile"),
        (AdoptResult.KEPT, "own-values"),
    ]
    assert Phone.objects.get(pk=phone.pk).current_profile.source == Source.FILE
    assert Phone.objects.get(mac=files[0].mac).current_profile == profile


def test_the_profile_of_an_imported_file_gives_way_to_the_template(files, target):
    destination = ImportTarget(target.owner, target.account, create_phones=True)
    import_file(NamedBytes(files[0].name, files[0].content), destination=destination, actor=system("command"))
    Phone.objects.update(base_profile=PhoneProfile.objects.get())
    assert [file.outcome for file in adopted(files[:1], target).files] == [AdoptResult.ADOPTED]
    phone = Phone.objects.select_related("current_profile", "base_profile").get()
    assert phone.current_profile == phone.base_profile
    assert phone.current_profile.source == Source.TEMPLATE


def test_the_phone_of_another_account_is_refused(files, target, charlie):
    Phone.objects.create(mac=files[0].mac, account=charlie.account)
    told = adopted(files[:1], target)
    assert [(file.outcome, file.code) for file in told.files] == [(AdoptResult.REFUSED, "other-account")]
    with pytest.raises(Refusal, match="another account"):
        adopted(files, AdoptTarget(target.account, charlie))
