"""Staff log a person in on a phone in the admin, with the rights and refusals of REST."""

import pytest
from django.urls import reverse

from phones_app.mobility.models import MobilitySession
from tests.admin_people import at_desk, clerk

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("no_inline_work")]


@pytest.fixture
def phone(new_phone, new_profile, shared_server, root):
    return new_phone(base_profile=new_profile("Logged out", user=root), phone_ip="192.0.2.7")


def page_of(phone) -> str:
    return reverse("admin:phones_app_phone_log_in", args=[phone.pk])


def test_a_person_is_logged_in_and_refusals_stand_at_the_form(root_desk, phone, alice, bob, charlie, new_profile):
    change = reverse("admin:phones_app_phone_change", args=[phone.pk])
    assert "Log in…" in root_desk.get(change).content.decode()
    refused = root_desk.post(page_of(phone), {"person": bob.pk}).content.decode()
    assert "has no device profile that fits this phone" in refused
    stranger = root_desk.post(page_of(phone), {"person": charlie.pk}).content.decode()
    assert "Select a valid choice" in stranger
    assert not MobilitySession.objects.exists()
    new_profile("Alice's")
    answer = root_desk.post(page_of(phone), {"person": alice.pk})
    session = MobilitySession.objects.get()
    assert answer["Location"] == reverse("admin:phones_app_deployment_change", args=[session.login_id])
    assert (session.user, session.phone, session.requested_by) == (alice, phone, "root@example.org")


def test_it_takes_a_base_profile_and_the_permission(acme, new_phone, phone, root_desk, alice, new_profile, other):
    plain = new_phone("AABBCCDDEE02")
    change = reverse("admin:phones_app_phone_change", args=[plain.pk])
    assert "Log in…" not in root_desk.get(change).content.decode()
    less = at_desk(clerk(acme, without="add_mobilitysession"))
    new_profile("Alice's")
    assert less.post(page_of(phone), {"person": alice.pk}).status_code == 403
    away = at_desk(clerk(other, "clerk@other.example"))
    assert away.post(page_of(phone), {"person": alice.pk}).status_code == 404
    assert not MobilitySession.objects.exists()
