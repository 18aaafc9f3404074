"""Webhooks hold keys: staff who may not see secrets see no more of one than its host, over REST as in the admin."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from contacts_app.people.login import open_session
from contacts_app.people.models import User
from profiles_app.messaging.models import MessagingProfile

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/in/s3cret?key=s3cret"
SHOWN = "https://hooks.example.org/…"


@pytest.fixture
def profile(acme):
    return MessagingProfile.objects.create(account=acme, name="Messages", callback_url=URL)


def staff(*permissions: str) -> Client:
    user = User.objects.create_user("desk@example.org", "correct horse", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    return Client(headers={"Authorization": f"Bearer {open_session(user, None).access}"})


def test_a_webhook_is_masked_and_stays_as_it_is(profile):
    desk, path = staff("view_messagingprofile", "change_messagingprofile"), f"/rest/profile/messaging/{profile.uuid}"
    for answer in (desk.get(path), desk.get("/rest/profile/messaging")):
        assert answer.status_code == 200
        assert "s3cret" not in answer.content.decode()
    shown = desk.get(path).json()["payload"]
    assert (shown["callback_url"], shown["callback_url2"]) == (SHOWN, None)
    body = {"name": "Renamed", "callback_url": SHOWN, "callback_url2": None}
    assert desk.patch(path, body, content_type="application/json").status_code == 200
    profile.refresh_from_db()
    assert (profile.name, profile.callback_url) == ("Renamed", URL)
    other = {"callback_url": "https://hooks.example.org/other"}
    assert desk.patch(path, other, content_type="application/json").status_code == 200
    profile.refresh_from_db()
    assert profile.callback_url == other["callback_url"]


def test_who_may_see_secrets_sees_the_webhook(profile):
    desk = staff("view_messagingprofile", "reveal_secrets")
    assert desk.get(f"/rest/profile/messaging/{profile.uuid}").json()["payload"]["callback_url"] == URL
