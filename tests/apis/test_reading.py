"""What is read from columns is what the serializer shows: on every resource with rows of all kinds, and on every route.

Answers name their state: who has it already is told so.
"""

import json
from types import SimpleNamespace

import pytest
from django.db import connection
from django.urls import get_resolver

from contacts_app.accounts.models import AccountGroup
from contacts_app.core.actor import Actor, system
from contacts_app.core.api import viewset
from contacts_app.core.api.dialect import Json
from contacts_app.core.api.reading import reading_of
from contacts_app.core.api.rows import Rows
from contacts_app.core.memory import forget_everything
from phones_app.deployment.models import Deployment, LastDeployment
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout, RolloutMember
from profiles_app.messaging.models import MessagingProfile
from profiles_app.myaccount.models import MyAccountProfile, MyAccountProfileGroup
from tests.apis.routes import LISTS, OF_NOBODY, names_a_row, operations, url_of
from tests.many_rows import make_rows

pytestmark = pytest.mark.django_db

# Whose progress is counted anew for each answer.
MADE_BY_HAND = {"RolloutDetailRecord"}
# What differs from answer to answer.
RESTLESS = {"/rest/auth", "/v4/ping", "/rest/token/list"}


def views(patterns=None):
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            yield from views(pattern.url_patterns)
        elif issubclass(view := getattr(pattern.callback, "cls", object), viewset.Listed | viewset.Retrieved):
            yield view


def resources():
    """Each view with each serializer that shows its rows."""
    found = {}
    for view in views():
        for serializer in (view.serializer_class, getattr(view, "list_class", None)):
            if serializer is not None:
                found[serializer.__name__] = (view.queryset, serializer)
    return found


def many(model):
    """Rows with every column filled and rows with what a column is by default; with parts and without."""
    # Beyond the keys that rows referred to by others were made with.
    make_rows(model, 200, 212)
    if model is MyAccountProfile:
        make_rows(AccountGroup, 200, 202)
        one, *groups = [MyAccountProfile.objects.first(), *AccountGroup.objects.all()]
        MyAccountProfileGroup.objects.bulk_create(MyAccountProfileGroup(profile=one, group=group) for group in groups)
    elif model.__name__ == "Phone":
        make_rows(Deployment, 200, 205)
        pairs = zip(Phone.objects.order_by("-pk"), Deployment.objects.order_by("-pk")[:5], strict=False)
        LastDeployment.objects.bulk_create(LastDeployment(phone=phone, deployment=one) for phone, one in pairs)
    elif model.__name__ == "Deployment":
        rollout = Rollout.objects.first()
        members = enumerate(Deployment.objects.order_by("-pk")[:5])
        RolloutMember.objects.bulk_create(RolloutMember(rollout=rollout, deployment=one, wave=n) for n, one in members)
    elif model is MessagingProfile:
        MessagingProfile.objects.update(callback_url="https://acme.example/?key=1")


def as_json(records):
    return json.loads(Json().render(records))


def test_columns_tell_what_the_serializer_shows(rows):
    for model in {queryset.model for queryset, _ in resources().values()}:
        many(model)
    for name, (queryset, serializer) in resources().items():
        reading = reading_of(serializer, queryset.model)
        assert (reading is None) == (name in MADE_BY_HAND), name
        whole = Rows(queryset.order_by("pk"), reading)
        assert len(whole.page(None)) > 10, name
        if reading is None:  # the serializer itself shows it, with the time that is left
            continue
        for actor in (system("test"), Actor("tenant", "rest", account=SimpleNamespace(pk=1))):
            context = {"request": SimpleNamespace(user=actor)}
            shown = as_json(serializer(queryset.order_by("pk"), many=True, context=context).data)
            assert as_json(whole.records(whole.page(None), serializer, context)) == shown, name
            assert as_json(whole.records(whole.page(3), serializer, context)) == shown[:3], name
            assert as_json(whole.records(whole.page(3, 4), serializer, context)) == shown[4:7], name
            last = whole.one(pk=queryset.order_by("pk").last().pk)
            assert as_json(whole.records([last], serializer, context)) == shown[-1:], name


def test_every_route_answers_the_same_either_way(owner, rows, monkeypatch):
    fast = {path: owner.send("get", url) for path, url in reads(rows)}
    monkeypatch.setattr(viewset, "reading_of", lambda serializer, model: None)
    forget_everything()
    for path, url in reads(rows):
        plain = owner.send("get", url)
        assert (fast[path].status_code, fast[path]["Content-Type"]) == (plain.status_code, plain["Content-Type"]), path
        assert fast[path].getvalue() == plain.getvalue(), path


def test_who_has_an_answer_already_is_told_so(owner, rows):
    for path, url in reads(rows):
        answer = owner.send("get", url)
        if "ETag" not in answer or path in OF_NOBODY:
            assert path.endswith(".csv") or answer.status_code != 200 or path in OF_NOBODY, path
            continue
        for known in (answer["ETag"], f'"other", W/{answer["ETag"]}', "*"):
            again = owner.http.get(url, headers={"If-None-Match": known})
            assert (again.status_code, again.getvalue(), again["ETag"]) == (304, b"", answer["ETag"]), path
        changed = owner.http.get(url, headers={"If-None-Match": '"other"'})
        assert changed.getvalue() == answer.getvalue(), path


def test_another_state_has_another_name(owner, rows):
    url = f"/api/v1/phones/{rows['mac']}"
    before = owner.send("get", url)["ETag"]
    owner.send("put", url, {"name": "Reception"})
    answer = owner.http.get(url, headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert answer.json()["data"]["name"] == "Reception"
    assert answer["ETag"] != before


def reads(rows):
    for method, path, _ in operations():
        if method == "get" and path not in RESTLESS and (names_a_row(path) or path in LISTS):
            yield path, url_of(path, rows, voip_id=rows["voip_id"], user_uuid=rows["user"])


# How many queries a page takes. Lists of names come with their row where the database has arrays.
NAMES = 1 if connection.vendor == "postgresql" else 2
PAGES = {
    "/api/v1/phones": 1,
    "/api/v1/phones?offset=1": 1,
    "/api/v1/phones/{mac}": 1,
    "/api/v1/users": 1,
    "/api/v1/deployments": 1,
    "/api/2.0/notification_contacts/": 1,
    "/rest/lease/tn": 1,
    "/rest/profile/messaging": 2,
    "/backend/api/v1/myAccountCustomerProfiles/": NAMES,
    "/v4/accounts/{voip_id}/integrations/events/callbacks": 1,
    "/v4/accounts/{voip_id}/integrations/events/overview": 3,
}


@pytest.mark.usefixtures("unforgetting")
def test_a_page_is_one_query_and_one_for_each_list_in_its_records(owner, rows, django_assert_num_queries):
    for path, queries in PAGES.items():
        url = path.format(**rows)
        # Afterwards it is remembered who asks.
        assert owner.send("get", url).status_code == 200
        with django_assert_num_queries(queries, info=url):
            assert owner.send("get", url).status_code == 200
