"""Deleting what files are made from: of how many phones the file changes is said before, and again afterwards."""

import pytest
from django.urls import reverse

from phones_app.configuration.models import Layer, PhoneConfiguration
from phones_app.configuration.wanted import Configurations
from phones_app.inventory.models import Phone
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
