"""Files made from layers: which value counts, whose lines and keys, what is stored, and what a change would do."""

import pytest
from django.urls import reverse

from contacts_app.core.errors import Refusal
from contacts_app.core.work.queue import run_queue
from phones_app.configuration import effect
from phones_app.configuration.changes import mark_due, outdated, phones_of_layer, phones_of_line
from phones_app.configuration.effect import what_changes, what_deleting_changes
from phones_app.configuration.gather import layers_of
from phones_app.configuration.layer_rows import family_of
from phones_app.configuration.models import Layer, PhoneConfiguration
from phones_app.configuration.rendering import rendering_of, revision_for, revisions_for
from phones_app.inventory.models import Phone, PhoneGroup
from profiles_app.phone.models import PhoneProfile, ProfileRevision, Source
from tests.phones_app.configuration.data import layer, line, made_profile, phone

pytestmark = pytest.mark.django_db


@pytest.fixture
def profile(alice):
    return made_profile(alice)


@pytest.fixture
def values(acme):
    return layer(acme, values={"pbx": "pbx.acme.example", "ntp_servers": "ntp.acme.example"})


def file_of(phone, profile=None) -> str:
    return rendering_of(phone, profile).content.decode()


def test_the_strongest_layer_counts_and_names_what_it_hides(acme, profile, values):
    layer(values={"ntp_servers": "ntp.portal.example"}, kind="portal")
    layer(acme, kind="location", name="munich", values={"ntp_servers": "ntp.munich.example"})
    munich, berlin = phone(acme, 1, profile, location="MUNICH"), phone(acme, 2, profile, location="Berlin")
    rendering = rendering_of(munich, profile)
    assert b"ntp.munich.example" in rendering.content
    value = rendering.values["ntp_servers"]
    assert (value.layer, value.hides) == ("location munich", ("account Acme", "portal"))
    assert "ntp.acme.example" in file_of(berlin)


def test_of_several_groups_the_last_by_name_wins_and_the_account_beats_the_portal(acme, profile, values):
    layer(kind="model", name="8845", values={"pbx": "portal.example"})
    layer(acme, kind="model", name="CP-8845", values={"pbx": "model.example"})
    one = phone(acme, 1, profile)
    assert "model.example" in file_of(one)
    for name in ("Beta", "alpha"):
        group = PhoneGroup.objects.create(account=acme, name=name)
        group.phones.add(one)
        layer(acme, kind="group", group=group, values={"pbx": f"{name.lower()}.example"})
    assert "beta.example" in file_of(one)
    layer(acme, kind="phone", phone=one, values={"pbx": "own.example"})
    assert "own.example" in file_of(one)


def test_lines_are_those_of_the_phone_else_of_the_profile_else_of_its_owner_else_of_a_group(
    acme, alice, profile, values
):
    one = phone(acme, 1, profile)
    group = PhoneGroup.objects.create(account=acme, name="All")
    group.phones.add(one)
    for number, give in enumerate(
        (
            lambda row: layer(acme, kind="group", group=group, lines=[row]),
            lambda row: type(row).objects.filter(pk=row.pk).update(user=alice),
            lambda row: layer(acme, kind="profile", profile=profile, lines=[row]),
            lambda row: layer(acme, kind="phone", phone=one, lines=[row]),
        ),
        start=1001,
    ):
        give(line(acme, str(number)))
        assert f"<name>{number}</name>" in file_of(one)


def test_nothing_of_another_account_comes_into_a_file(acme, other, alice, profile, values):
    profile.user.account = None
    layer(kind="profile", profile=profile, lines=[line(other, "6666")])
    assert "6666" not in file_of(phone(acme, 1, profile))
    foreign = made_profile(alice, "Foreign")
    foreign.template.account = other
    foreign.template.save()
    with pytest.raises(Refusal, match="different accounts"):
        rendering_of(phone(acme, 2, foreign), foreign)


def test_a_missing_value_names_the_layers_that_were_asked(acme, profile):
    layer(acme, values={"ntp_servers": "ntp.acme.example"})
    outcome = revisions_for([phone(acme, 1, profile)], store=False)
    (refusal,) = outcome.values()
    assert isinstance(refusal, Refusal)
    assert "pbx" in refusal.message
    assert "account Acme" in refusal.message


def test_many_phones_cost_as_many_queries_as_few(acme, profile, values, django_assert_num_queries):
    phones = [phone(acme, number, profile) for number in range(1, 31)]
    for number, one in enumerate(phones):
        layer(acme, kind="phone", phone=one, lines=[line(acme, str(2000 + number))])
    counts = []
    for some in (phones[:3], phones):
        with django_assert_num_queries(10, exact=False) as captured:
            assert len(layers_of(some)) == len(some)
        counts.append(len(captured))
    assert counts[0] == counts[1]


def test_one_rendering_is_one_revision_without_secrets_in_its_provenance(acme, profile, values):
    one = phone(acme, 1, profile)
    layer(acme, kind="phone", phone=one, lines=[line(acme, "1001", auth_password="very-secret")])
    first, second = (revision_for(one, profile, store=True).revision for _ in range(2))
    assert first.pk == second.pk
    assert ProfileRevision.objects.get().rendered_for == one.mac
    stored = ProfileRevision.objects.get()
    assert b"very-secret" in bytes(stored.content)
    assert "very-secret" not in str(stored.provenance)
    assert stored.provenance["values"]["pbx"] == {"layer": "account Acme", "key": str(values.uuid)}
    assert stored.facts["registration_user"] == "1001"
    assert stored.number is None


def test_a_file_goes_byte_for_byte_and_is_never_filled_in(acme, alice, values):
    from profiles_app.phone.services import create_profile
    from tests.phones_app.site import ACTOR, sip_file

    text = sip_file(label="{{ pbx }}")
    plain = create_profile(actor=ACTOR, user=alice, name="File", content=text.encode())
    assert revision_for(phone(acme, 1, plain), plain, store=True).content == text.encode()
    assert ProfileRevision.objects.count() == 1


def test_a_built_in_template_is_that_of_the_model(acme, alice, values):
    layer(acme, kind="model", name="7965", values={"call_managers": "pbx.acme.example"})
    built_in = PhoneProfile.objects.create(user=alice, name="Everything", source=Source.BUILT_IN)
    assert "pbx.acme.example" in file_of(phone(acme, 1, built_in, model="7965"))
    with pytest.raises(Refusal, match="unknown model"):
        rendering_of(phone(acme, 2, built_in, model=""))


@pytest.fixture
def worked_out():
    def run(phones=None):
        mark_due(Phone.objects.all() if phones is None else phones)
        run_queue("configurations")
        return PhoneConfiguration.objects.in_bulk()

    return run


@pytest.mark.django_db(transaction=True)
def test_what_phones_should_run_is_worked_out_once_they_are_due(acme, alice, profile, values, worked_out):
    layer(acme, kind="profile", profile=profile, lines=[line(acme)])
    good, none = phone(acme, 1, profile), phone(acme, 2)
    broken = phone(acme, 3, made_profile(alice, "Broken", "<device>{{ nowhere }}</device>"))
    rows = worked_out()
    assert rows[good.pk].sha256 == revision_for(good, profile, store=False).sha256
    assert rows[none.pk].sha256 == "" == rows[none.pk].error
    assert "nowhere" in rows[broken.pk].error
    assert not any(row.due_at for row in rows.values())
    assert list(outdated(profile)) == [good]
    PhoneConfiguration.objects.filter(pk=good.pk).update(file_sha256=rows[good.pk].sha256)
    assert not outdated(profile).exists()


def test_what_a_change_would_do_is_told_with_masked_examples(acme, profile, values):
    munich = layer(acme, kind="location", name="Munich", values={"ntp_servers": "ntp.munich.example"})
    phones = [phone(acme, number, profile) for number in range(1, 6)]
    phone(acme, 6, profile, location="Berlin")
    layer(acme, kind="phone", phone=phones[0], values={"ntp_servers": "own.example"})
    new = Layer(pk=munich.pk, account=acme, kind="location", name="Munich", values={"ntp_servers": "new.example"})
    changed = what_changes(munich, new)
    assert (changed.number, changed.looked_at, len(changed.examples)) == (4, 5, 3)
    assert "+    <ntp><name>new.example</name>" in changed.examples[0].diff
    assert what_deleting_changes([munich]).number == 4
    assert what_deleting_changes([munich, values]).broken == 6
    fresh = Layer(account=acme, kind="account", values={})
    assert what_changes(values, Layer(pk=values.pk, account=acme, kind="account", values={})).broken == 6
    assert what_changes(fresh, fresh).number == 0


def test_phones_for_which_there_is_no_time_are_counted(root_desk, acme, profile, values, monkeypatch):
    monkeypatch.setattr(effect, "BATCH", 2)
    monkeypatch.setattr(effect, "MOST_SECONDS", 0)
    for number in range(1, 6):
        phone(acme, number, profile)
    new = Layer(pk=values.pk, account=acme, kind="account", values=values.values | {"ntp_servers": "new.example"})
    changed = what_changes(values, new)
    assert (changed.number, changed.looked_at, changed.unseen) == (2, 2, 3)
    # Nothing changes at those that were looked at, and who saves is asked all the same.
    changed = what_changes(values, values)
    assert (changed.number, changed.unseen, changed.is_nothing) == (0, 3, False)
    page = root_desk.get(reverse("admin:phones_app_layer_delete", args=[values.pk])).content.decode()
    assert "Only the first 2 phones were looked at" in page
    assert "the change concerns 3 more" in page


def test_the_phones_of_a_layer_and_of_a_line_are_those_it_says_something_to(acme, alice, profile, values):
    one, two = phone(acme, 1, profile, model="CP-8845"), phone(acme, 2, profile, model="7965", location="Berlin")
    phone(acme, 3)
    assert list(phones_of_layer(Layer(account=acme, kind="model", name="8845"))) == [one]
    assert list(phones_of_layer(Layer(kind="family", name=family_of("7965")))) == [two]
    assert list(phones_of_layer(Layer(account=acme, kind="location", name="berlin"))) == [two]
    assert list(phones_of_layer(values)) == [one, two]
    own = line(acme, "1001")
    layer(acme, kind="phone", phone=two, lines=[own])
    assert list(phones_of_line(own)) == [two]
    own.user = alice
    assert list(phones_of_line(own)) == [one, two]
