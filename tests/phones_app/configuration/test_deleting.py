"""Deleting what files are made from: of how many phones the file changes is said before, and again afterwards."""

import pytest
from django.db import connection
from django.urls import reverse

from phones_app.configuration.models import Layer, PhoneConfiguration
from phones_app.configuration.wanted import Configurations
from phones_app.inventory.models import Phone, PhoneGroup
from profiles_app.phone.models import KeyLayout, PhoneProfile, Source
from tests.phones_app.configuration.data import layer, line, made_profile, phone

pytestmark = pytest.mark.django_db


def question_of(row: object) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_delete", args=[row.pk])


@pytest.fixture
def everywhere(acme) -> Layer:
    values = {"pbx": "pbx.example.org", "call_managers": "pbx.example.org", "ntp_servers": "10.0.0.1"}
    return layer(acme, values=values)


@pytest.fixture
def phones(acme, alice, everywhere) -> list[Phone]:
    """Two phones in Munich and one in Berlin, whose files are made from a template."""
    layer(acme, kind="model", name="8845", values={"time_zone": "Europe/Berlin"})
    profile, places = made_profile(alice), ("Munich", "Munich", "Berlin")
    made = [phone(acme, number, profile, location=place) for number, place in enumerate(places, 1)]
    for number, one in enumerate(made, 1):
        layer(acme, kind="phone", phone=one, lines=[line(acme, f"10{number:02}")])
    return made


def test_a_layer_says_whose_files_change_before_it_is_deleted(root_desk, acme, phones, no_inline_work):
    munich = layer(acme, kind="location", name="Munich", values={"ntp_servers": "10.7.7.7"})
    page = root_desk.get(question_of(munich)).content.decode()
    assert "2 phones" in page
    assert "10.7.7.7" in page, "of some of them with the difference"
    assert "10.0.0.1" in page, "which the weaker layer gives"
    Configurations("test").do(list(PhoneConfiguration.objects.values_list("pk", flat=True)))
    done = root_desk.post(question_of(munich), {"post": "yes"}, follow=True).content.decode()
    assert not Layer.objects.filter(pk=munich.pk).exists()
    assert "files of 2 phones change" in done
    due = PhoneConfiguration.objects.filter(due_at__isnull=False)
    assert set(due.values_list("phone", flat=True)) == {one.pk for one in phones[:2]}


def test_several_layers_say_together_whose_files_change(root_desk, acme, phones, everywhere):
    munich = layer(acme, kind="location", name="Munich", values={"ntp_servers": "10.7.7.7"})
    berlin = layer(acme, kind="location", name="Berlin", values={"ntp_servers": "10.8.8.8"})
    oslo = layer(acme, kind="location", name="Oslo", values={"ntp_servers": "10.9.9.9"})
    chosen = {"action": "delete_selected", "_selected_action": [munich.pk, berlin.pk, oslo.pk]}
    address = reverse("admin:phones_app_layer_changelist")
    page = root_desk.post(address, chosen).content.decode()
    assert "Deleting them changes the file of" in page
    assert "3 phones" in page
    assert "10.7.7.7" in page, "of some of them with the difference"
    assert Layer.objects.filter(kind="location").count() == 3, "nothing is deleted yet"
    done = root_desk.post(address, chosen | {"post": "yes"}, follow=True).content.decode()
    assert not Layer.objects.filter(kind="location").exists()
    assert "files of 3 phones change" in done


def test_what_one_layer_hides_from_another_counts_when_both_are_deleted(root_desk, acme, phones):
    """Each of them alone would change no file: the value is the same in both."""
    same = {"ntp_servers": "10.7.7.7"}
    group = PhoneGroup.objects.create(account=acme, name="Munich's")
    group.phones.set(phones[:2])
    both = [
        layer(acme, kind="location", name="Munich", values=same),
        layer(acme, kind="group", group=group, values=same),
    ]
    for one in both:
        assert "Files that change" not in root_desk.get(question_of(one)).content.decode()
    chosen = {"action": "delete_selected", "_selected_action": [one.pk for one in both]}
    page = root_desk.post(reverse("admin:phones_app_layer_changelist"), chosen).content.decode()
    assert "2 phones" in page


def test_a_layer_without_which_no_file_can_be_made_says_so(root_desk, phones, everywhere):
    page = root_desk.get(question_of(everywhere)).content.decode()
    assert "For 3 of them no file could be made any more" in page


def test_a_layer_that_changes_no_file_is_deleted_without_a_word(root_desk, acme, phones):
    oslo = layer(acme, kind="location", name="Oslo", values={"ntp_servers": "10.7.7.7"})
    assert "Files that change" not in root_desk.get(question_of(oslo)).content.decode()


def test_the_keys_of_a_weaker_layer_count_when_a_layout_is_deleted(root_desk, acme, alice, everywhere):
    built_in = PhoneProfile.objects.create(user=alice, name="Desks", source=Source.BUILT_IN)
    desk = phone(acme, 1, built_in, model="8851")
    dial = {"module": 0, "position": 2, "kind": "speed-dial", "line": None, "target": "555"}
    weak, strong = (
        KeyLayout.objects.create(account=acme, name=name, keys=[dial | {"label": name}]) for name in ("Taxi", "Porter")
    )
    everywhere.key_layout = weak
    everywhere.save()
    layer(acme, kind="phone", phone=desk, lines=[line(acme)], key_layout=strong)
    page = root_desk.get(question_of(strong)).content.decode()
    assert "1 phone" in page
    assert "&lt;featureLabel&gt;Porter" in page
    assert "&lt;featureLabel&gt;Taxi" in page
    root_desk.post(question_of(strong), {"post": "yes"})
    assert not KeyLayout.objects.filter(pk=strong.pk).exists()


def test_a_layout_of_very_many_phones_is_deleted_as_any_other(root_desk, acme, alice):
    profile = PhoneProfile.objects.create(user=alice, name="Desks", source=Source.BUILT_IN)
    layout = KeyLayout.objects.create(account=acme, name="Porter", keys=[])
    # A statement of SQLite has a thousand levels at most; for PostgreSQL fewer phones say the same.
    number = 1_100 if connection.vendor == "sqlite" else 300
    macs = (f"0200001{each:05X}" for each in range(number))
    desks = Phone.objects.bulk_create(
        Phone(account=acme, mac=mac, model="8851", current_profile=profile) for mac in macs
    )
    Layer.objects.bulk_create(Layer(account=acme, kind="phone", phone=one, key_layout=layout) for one in desks)
    root_desk.post(question_of(layout), {"post": "yes"})
    assert not KeyLayout.objects.filter(pk=layout.pk).exists()
