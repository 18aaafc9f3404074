"""Every list, of every API and of the admin, costs the same few queries whatever its length, each from an index.

A new list of the admin is looked at by itself; a new list of an API has to be named here.
"""

import datetime
import re
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.db import connection, models
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

import config.urls  # noqa: F401 - finds the pages of the admin
from contacts_app.people.models import User
from contacts_app.tokens.services import create_token
from phones_app.inventory.models import Phone
from phones_app.rollout.models import Rollout, RolloutMember
from profiles_app.calls.models import CallRecord
from profiles_app.phone.models import PhoneProfile
from tests.admin_people import at_desk, clerk
from tests.apis.routes import operations
from tests.many_rows import make_rows, multiply, without_foreign_keys
from tests.profiles_app.visitors import grant

OURS = ("contacts_app", "profiles_app", "phones_app")
PAGES = [pages for model, pages in admin.site._registry.items() if model._meta.app_label in OURS]
IDS = [pages.opts.model_name for pages in PAGES]
# People first: to them the rows of others are made to belong.
MODELS = sorted([*(pages.model for pages in PAGES), RolloutMember], key=lambda model: model is not User)
# So many copies of each of a hundred rows, and of models whose filters leave a fourth of all rows: only in long tables it
# is quicker to read these in the order of an index. PostgreSQL is told that reading a table from its beginning to its end
# costs four times as much as it assumes, so that a quarter of the rows is as long to it.
TIMES, MANY_TIMES, PAGE_COST = 200, 250, 4
LONG = {
    "ApiToken", "CallManager", "Deployment", "Extension", "FileServer", "Mail", "MessagingProfile",
    "OutboundVoiceProfile", "Phone", "PhoneProfile", "RolloutMember",
}  # fmt: skip
# The lists of the phone family and what they can be asked for; `{…}` is of some row. The other dialects, whose lists
# are those of one account, have tests of their own.
LISTS = {
    "phones": (
        "", "offset=5000", "after=0A:00:00:00:00:00", "model={phone.model}", "location={phone.location}",
        "software_type=SIP", "is_active=false", "is_active=true", "load={phone.software_version}",
        "presence={phone.presence}", "in_call=true", "search={phone.name}", "search=0a:1b:2",
        "search=zzqqzz", "drifted=true", "outdated=true",
    ),
    "deployments": (
        "", "offset=5000", "state=failed", "kind=restart", "mac={phone.mac}", "profile={profile.uuid}", "open=true",
        "open=false", "created_after=2100-01-01T00:00:00Z", "created_before=2000-01-01T00:00:00Z",
        "rollout={rollout.uuid}",
    ),
    "rollouts": ("", "state=paused", "profile={profile.uuid}", "open=true"),
    "file-servers": ("", "offset=5000"),
    "firmware": ("", "offset=5000", "load=name777", "protocol=SIP", "model=7962", "search=name777"),
    "layers": ("", "offset=5000"),
    "files": (
        "", "offset=5000", "path=name777", "kind=locale", "phone={phone.mac}", "sha256=name777", "search=name777",
        "order=path", "order=-path", "order=updated_at", "order=-updated_at",
    ),
    "left-files": ("",),
    "mobility/sessions": (
        "", "offset=5000", "state=logged_in", "mac={phone.mac}", "profile_uuid={profile.uuid}", "open=true", "open=false",
        "since_after=2100-01-01T00:00:00Z", "since_before=2000-01-01T00:00:00Z",
        "user_uuid=00000000-0000-4000-8000-000000000000",
    ),
    "directory-entries": ("", "offset=5000", "user_uuid={profile.user.uuid}"),
    "call-managers": ("", "offset=5000"),
    "templates": ("", "offset=5000"),
    "key-layouts": ("", "offset=5000"),
    "calls": (
        "", "offset=5000", "direction=inbound", "disposition=busy", "number={call.called}", "extension={call.extension}",
        "site={call.site}", "voice_profile=00000000-0000-4000-8000-000000000000", "call_id={call.call_id}",
        "started_from=2100-01-01T00:00:00Z", "started_before=2000-01-01T00:00:00Z",
    ),
    "users": ("", "offset=5000"),
    "extensions": ("", "offset=5000"),
    "lines": ("", "offset=5000", "extension=7101", "user_uuid={profile.user.uuid}"),
    "enrolment-codes": ("",),
    "enrolment-requests": ("",),
    "phone-profiles/{profile.uuid}/revisions": ("",),
}  # fmt: skip
# The list of profiles has no pages in its document: the caller for all of them gets all of them.
# The change log, which tokens of accounts may not read, is of tables of its own: its tests look at its filters.
NO_LISTS = {
    "changes",
    "default-file",
    "phone-profiles",
    "me",
    "me/phones",
    "me/directory-entries",
    "me/cisco-services/personal",
    "permissions",
    "settings",
}
pytestmark = pytest.mark.django_db


def changelist(pages) -> str:
    return reverse(f"admin:{pages.opts.app_label}_{pages.opts.model_name}_changelist")


def queries_of(client: Client, url: str) -> list[str]:
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(url)
    assert answer.status_code == 200, (url, answer.content[:500])
    return [query["sql"] for query in captured]


@pytest.mark.parametrize("pages", PAGES, ids=IDS)
def test_a_page_of_the_admin_asks_as_often_for_40_rows_as_for_10(root, pages):
    desk, counts = at_desk(root), []
    make_rows(pages.model, 1, 11)
    desk.get(changelist(pages))
    for start, end in ((11, 11), (11, 41)):
        make_rows(pages.model, start, end)
        counts.append(len(queries_of(desk, f"{changelist(pages)}?all=")))
    assert counts[0] == counts[1] <= 20


def scanned(sql: str) -> set[str]:
    """The tables that PostgreSQL reads as a whole to answer a query."""
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN " + sql)
        plan = "\n".join(row[0] for row in cursor.fetchall())
    return set(re.findall(r"Seq Scan on (\w+)", plan)) & {model._meta.db_table for model in MODELS}


def of_a_row(pages, path: str) -> str:
    """What stands in a column of some row, as somebody would look for it."""
    path = path.removeprefix("=").removesuffix("__startswith")
    found = pages.model._default_manager.exclude(**{f"{path}__isnull": True}).order_by("pk")
    values = found.values_list(path, flat=True)[777:778]
    return str(values[0]) if values else "name7x"


def variants(pages, request) -> dict[str, dict]:
    """Every order, search and filter of a page, as its query string says them."""
    lists = pages.get_changelist_instance(request(pages, {}))
    asked = {"as it is": {}, "far down": {"p": "100"}}
    sortable = pages.get_sortable_by(request(pages, {}))
    for number, name in enumerate(lists.list_display):
        if name in sortable:
            asked[f"by {name}"], asked[f"by {name}, backwards"] = {"o": str(number)}, {"o": f"-{number}"}
    for path in pages.search_fields:
        asked[f"search in {path}"] = {"q": of_a_row(pages, path)}
    if pages.search_fields:
        asked |= {"search for nothing": {"q": "zzqqzz"}, "search for a MAC": {"q": "0a:1b:2"}}
    for spec in lists.filter_specs:
        for value in values_of(spec):
            asked[f"filter {value}"] = value
    return asked


def values_of(spec) -> list[dict]:
    names = spec.expected_parameters()
    if getattr(spec, "parameter_name", "").endswith("_at"):
        today = datetime.date.today().isoformat()
        return [{f"{spec.parameter_name}_from": today, f"{spec.parameter_name}_to": today}]
    if not hasattr(spec, "field"):
        return [{names[0]: value} for value, _ in spec.lookup_choices]
    field = spec.field
    if field.is_relation:
        return [{spec.lookup_kwarg: str(field.related_model._default_manager.order_by("pk")[3].pk)}]
    if isinstance(field, models.BooleanField):
        return [{spec.lookup_kwarg: "1"}, {spec.lookup_kwarg: "0"}]
    if field.choices:
        return [{spec.lookup_kwarg: value} for value, _ in field.flatchoices]
    return [{spec.lookup_kwarg: str(field.model._default_manager.values_list(field.name, flat=True)[0])}]


def test_every_list_of_the_phone_family_is_looked_at():
    paths = {
        path.removeprefix("/api/v1/")
        for method, path, _ in operations()
        if method == "get" and path.startswith("/api/v1/")
    }
    lists = {path for path in paths if "{" not in path and not path.endswith(".csv")}
    assert lists == {path for path in LISTS if "{" not in path} | NO_LISTS


def wrong_in_rest() -> list[str]:
    profile = PhoneProfile.objects.filter(user__account__is_active=True).order_by("pk")[7]
    rows = {
        "phone": Phone.objects.order_by("pk")[777],
        "profile": profile,
        "rollout": Rollout.objects.order_by("pk")[7],
        "call": CallRecord.objects.order_by("pk")[777],
    }
    # Who may not see the operator's sites may not look for them either.
    grant(profile.user.account, "myCallsEnabled", "myCallsUseBackendDescriptions")
    keys = {"staff": create_token()[1], "tenant": create_token(account=profile.user.account)[1]}
    wrong = []
    for who, key in keys.items():
        client = Client(headers={"Authorization": f"Bearer {key}"})
        for path, queries in LISTS.items():
            for query in queries:
                url = f"/api/v1/{path}?{query}".format(**rows)
                asked = [sql for sql in queries_of(client, url) if sql.startswith("SELECT")]
                tables = set().union(*map(scanned, asked))
                wrong += [f"{who} {url}: {', '.join(tables)}"] if tables else []
    return wrong


def wrong_in_search(root) -> list[str]:
    """The search over everything: what most people look for, and what is nowhere."""
    phone = Phone.objects.exclude(account=None).order_by("pk")[777]
    wrong = []
    for desk in (at_desk(root), at_desk(clerk(phone.account))):
        for words in (phone.mac, phone.name, "0a:1b:2", "zzqqzz", "zq", "name777 zzqqzz"):
            asked = queries_of(desk, f"{reverse('admin:search')}?{urlencode({'s': words})}")
            tables = set().union(*(scanned(sql) for sql in asked if sql.startswith("SELECT")))
            wrong += [f"search for {words}: {', '.join(tables)}"] if tables else []
    return wrong


@pytest.fixture
def crowd(db):
    if connection.vendor != "postgresql":
        pytest.skip("only PostgreSQL plans by what there is")
    without_foreign_keys()
    for model in MODELS:
        if (missing := 101 - model._default_manager.count()) > 0:
            make_rows(model, 101 - missing, 101)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL seq_page_cost = %s", [PAGE_COST])
    for model in MODELS:
        multiply(model, MANY_TIMES if model.__name__ in LONG else TIMES)


def test_every_list_is_answered_from_an_index(root, crowd):
    def request(pages, query):
        asked = RequestFactory().get(changelist(pages), query)
        asked.user = root
        return asked

    wrong = [*wrong_in_rest(), *wrong_in_search(root)]
    for pages in PAGES:
        for title, query in variants(pages, request).items():
            with CaptureQueriesContext(connection) as captured:
                list(pages.get_changelist_instance(request(pages, query)).result_list)
            tables = set().union(*(scanned(q["sql"]) for q in captured if q["sql"].startswith("SELECT")))
            wrong += [f"{pages.opts.label}, {title}: {', '.join(tables)}"] if tables else []
    assert not wrong, "\n" + "\n".join(wrong)
