"""Two who make the same thing at once: one does, the other hears so in the words of the dialect, or of the form."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.conf import settings
from django.db import connection

from profiles_app.myaccount.models import MyAccountProfile
from tests.admin_people import at_desk
from tests.apis.conftest import of
from tests.apis.routes import is_error_of_its_dialect

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        "sqlite" in settings.DATABASES["default"]["ENGINE"], reason="SQLite lets one transaction write at a time"
    ),
]
CROWD, ROUNDS = 4, 5
SAME = {
    "/api/v1/phones": lambda number: {"mac": f"AABBCCDDEE{number:02d}"},
    "/api/v1/extensions": lambda number: {"number": 100 + number},
    "/api/v1/users": lambda number: {"email": f"dora{number}@acme.example", "password": "tr0ub4dor&3"},
    "/backend/api/v1/myAccountCustomerProfiles/": lambda number: {"name": f"Residential {number}"},
    "/rest/profile/outbound_voice": lambda number: {"name": "Sales", "tech_prefix": 123400 + number},
}


def at_once(asks):
    """All at the same moment, each on a connection of its own."""
    barrier = Barrier(len(asks))

    def ask(one):
        try:
            barrier.wait()
            return one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(asks)) as pool:
        return list(pool.map(ask, asks))


@pytest.mark.parametrize("url", SAME)
def test_one_of_a_crowd_makes_it(alice, url):
    callers = [of(alice) for _ in range(CROWD)]
    for number in range(ROUNDS):
        body = SAME[url](number)
        answers = at_once([lambda caller=caller, body=body: caller.send("post", url, body) for caller in callers])
        refused = [answer for answer in answers if answer.status_code >= 300]
        assert len(refused) == CROWD - 1, [answer.status_code for answer in answers]
        for answer in refused:
            is_error_of_its_dialect(answer)
            assert answer.status_code == 409


def test_two_admins_who_save_one_name(root):
    desks = [at_desk(root) for _ in range(CROWD)]
    add = "/admin/profiles_app/myaccountprofile/add/"
    for number in range(ROUNDS):
        form = {"name": f"Business {number}", "availability": "Standard"}
        answers = at_once([lambda desk=desk, form=form: desk.post(add, form) for desk in desks])
        assert sorted(answer.status_code for answer in answers) == [200] * (CROWD - 1) + [302]
        refused = [answer for answer in answers if answer.status_code == 200]
        assert all(answer.context["adminform"].form.errors for answer in refused)
    assert MyAccountProfile.objects.count() == ROUNDS
