"""Event profiles, callbacks and listeners at the web admin: the same rules and the same secrets as in REST."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from profiles_app.events.admin.callback_form import DOTS
from profiles_app.events.models.outbox import Event
from profiles_app.events.models.setup import Callback, EventProfile, Listener, ListenerFilter, Subscription
from profiles_app.events.webhooks import webhook
from tests.admin_people import at_desk
from tests.profiles_app.events.admin.conftest import HEADERS

SECRETS = ("hunter2", "s3cret")


def url_of(row, page="change"):
    return reverse(f"admin:profiles_app_{row._meta.model_name}_{page}", args=[row.pk])


def list_of(model):
    return reverse(f"admin:profiles_app_{model._meta.model_name}_changelist")


def callback_form(**fields):
    usual = {"mode": "HTTPS", "url": "https://hooks.example.org/T0ken", "method": "POST", "enabled": "on"}
    return usual | {"email_format": "json", "application": "google-analytics", "parameters": "{}"} | fields


def listener_form(callback, **fields):
    inlines = {
        f"{kind}-{count}": number
        for kind in ("subscriptions", "filters")
        for count, number in (("TOTAL_FORMS", 1), ("INITIAL_FORMS", 0), ("MIN_NUM_FORMS", 0), ("MAX_NUM_FORMS", 9))
    }
    return {"account": callback.account_id, "callback": callback.pk, "version": "2.0.0", **inlines} | fields


def errors(answer):
    return dict(answer.context["adminform"].form.errors)


def told(answer):
    return " ".join(str(message) for message in get_messages(answer.wsgi_request))


def test_a_callback_is_made_with_the_rules_of_rest(root_desk, acme):
    url = reverse("admin:profiles_app_callback_add")
    form = callback_form(
        account=acme.pk, headers="Authorization: Bearer a:b\nX-One: 1", timeout=5, rate_number=3, rate_period=60
    )
    assert root_desk.post(url, form).status_code == 302
    callback = Callback.objects.get()
    assert callback.config == {
        "url": "https://hooks.example.org/T0ken",
        "method": "POST",
        "headers": [{"name": "Authorization", "value": "Bearer a:b"}, {"name": "X-One", "value": "1"}],
        "timeout": 5,
        "rate-limit": {"number": 3, "period": 60},
    }
    assert (callback.target, callback.name) == ("hooks.example.org", None)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": "ftp://x"}, "url"),
        ({"url": ""}, "url"),
        ({"headers": "no colon"}, "headers"),
        ({"headers": "Host: x"}, "headers"),
        ({"headers": f"Authorization: {DOTS}"}, "headers"),
        ({"timeout": "31"}, "timeout"),
        ({"rate_number": "5"}, "rate_number"),
        ({"mode": "EMAIL", "email": "nope"}, "email"),
        ({"mode": "APPLICATION", "parameters": "{"}, "parameters"),
        ({"mode": "APPLICATION", "parameters": '{"tracking_id": NaN}'}, "parameters"),
        ({"mode": "APPLICATION", "parameters": "[]"}, "parameters"),
        ({"mode": "APPLICATION", "parameters": "{}"}, "parameters"),
    ],
)
def test_what_rest_refuses_is_refused_beside_its_field(root_desk, acme, change, field):
    answer = root_desk.post(reverse("admin:profiles_app_callback_add"), callback_form(account=acme.pk, **change))
    assert list(errors(answer)) == [field]
    assert not Callback.objects.exists()


def test_no_page_shows_a_header_s_value_and_saving_keeps_it(clerk_desk, callback):
    page = clerk_desk.get(url_of(callback))
    initial = page.context["adminform"].form.initial
    listing = clerk_desk.get(list_of(Callback)).content.decode()
    for secret in SECRETS:
        assert secret not in page.content.decode() + listing
    assert "T0ken" not in listing
    form = callback_form(url=initial["url"], headers=initial["headers"], name="Renamed")
    assert clerk_desk.post(url_of(callback), form).status_code == 302
    callback.refresh_from_db()
    assert (callback.name, callback.config["headers"]) == ("Renamed", HEADERS)


def test_who_may_only_look_sees_no_secret_either(acme, callback, root):
    viewer = type(root).objects.create_user("viewer@acme.example", "correct horse", account=acme, is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    viewer.permission_level = 0
    viewer.save()
    page = at_desk(viewer).get(url_of(callback))
    assert page.status_code == 200
    assert "hooks.example.org" in page.content.decode()
    assert not any(secret in page.content.decode() for secret in (*SECRETS, "T0ken"))


def test_secrets_are_shown_to_those_who_may_and_that_is_written_down(root_desk, clerk_desk, callback):
    url = reverse("admin:profiles_app_callback_reveal", args=[callback.pk])
    assert clerk_desk.get(url).status_code == 403
    page = root_desk.get(url)
    assert all(secret in page.content.decode() for secret in SECRETS)
    assert "no-store" in page["Cache-Control"]
    assert "secrets" in LogEntry.objects.latest("pk").change_message


def test_saving_sends_nothing_and_testing_says_what_came_back(root_desk, acme, new_callback, receiver):
    callback = new_callback(acme, url=receiver.url)
    form = callback_form(url=receiver.url, headers="")
    assert root_desk.post(url_of(callback), form).status_code == 302
    assert receiver.requests == []
    test = reverse("admin:profiles_app_callback_test", args=[callback.pk])
    assert b"Send" in root_desk.get(test).content
    assert receiver.requests == []
    assert "answers 200" in told(root_desk.post(test))
    receiver.status = 500
    assert "answers 500" in told(root_desk.post(url_of(callback), form | {"profiles_app_callback_save_and_test": "1"}))
    assert len(receiver.requests) == 2


def test_selected_callbacks_are_disabled_and_enabled(clerk_desk, acme, new_callback, receiver, strangers_rows):
    callback, stranger = new_callback(acme, url=receiver.url), strangers_rows[1]
    for action, enabled in (("disable", False), ("enable", True)):
        selected = {"action": action, "_selected_action": [callback.pk, stranger.pk]}
        answer = clerk_desk.post(list_of(Callback), selected)
        assert told(answer).startswith("1 callback is now")
        callback.refresh_from_db()
        stranger.refresh_from_db()
        assert (callback.enabled, stranger.enabled) == (enabled, True)


def test_what_is_in_use_cannot_be_deleted(root_desk, callback, listener, acme):
    profile = EventProfile.objects.create(account=acme, name="Used")
    Callback.objects.update(profile=profile)
    for row in (callback, profile):
        page = root_desk.get(url_of(row, "delete"))
        assert page.context["protected"]
        root_desk.post(url_of(row, "delete"), {"post": "yes"})
        assert type(row).objects.filter(pk=row.pk).exists()
    root_desk.post(url_of(listener, "delete"), {"post": "yes"})
    root_desk.post(url_of(callback, "delete"), {"post": "yes"})
    assert not Callback.objects.exists()
    assert Event.objects.latest("pk").tags == ["listener-callback", "deleted-listener-callback"]


def test_an_account_goes_with_all_its_events(acme, listener):
    Callback.objects.update(profile=EventProfile.objects.create(account=acme, name="Used"))
    ListenerFilter.objects.create(listener=listener, filter_type="number", filter_value={"eq": "1"})
    Callback.objects.create(account=acme, fallback_callback=listener.callback)
    acme.delete()
    for model in (Callback, EventProfile, Listener, ListenerFilter, Subscription):
        assert not model.objects.exists()


def test_references_stay_within_the_account_and_out_of_circles(root_desk, callback, strangers_rows):
    profile, stranger, _ = strangers_rows
    form = callback_form(profile=profile.pk, fallback_callback=stranger.pk, headers="")
    assert sorted(errors(root_desk.post(url_of(callback), form))) == ["fallback_callback", "profile"]
    circle = callback_form(fallback_callback=callback.pk, headers="")
    assert list(errors(root_desk.post(url_of(callback), circle))) == ["fallback_callback"]
    answer = root_desk.post(
        reverse("admin:profiles_app_listener_add"), listener_form(callback) | {"callback": stranger.pk}
    )
    assert list(errors(answer)) == ["callback"]


def test_the_webhook_of_a_messaging_profile_takes_no_other_events(root_desk, acme, callback):
    made = webhook(account=acme, owner="profile", name="Webhook", url="https://hooks.example.org/in", secret="s")
    answer = root_desk.post(url_of(callback), callback_form(fallback_callback=made.pk, headers=""))
    assert list(errors(answer)) == ["fallback_callback"]
    form = listener_form(callback, **{"subscriptions-0-tags": ["call"]}) | {"callback": made.pk}
    assert list(errors(root_desk.post(reverse("admin:profiles_app_listener_add"), form))) == ["callback"]


def test_a_listener_is_made_with_its_subscriptions_and_filters(root_desk, callback):
    form = listener_form(
        callback,
        **{
            "subscriptions-0-tags": ["call", "inbound"],
            "filters-0-filter_type": "number",
            "filters-0-filter_value": '{"match": "+1555%"}',
        },
    )
    answer = root_desk.post(reverse("admin:profiles_app_listener_add"), form)
    assert answer.status_code == 302, answer.context["errors"]
    assert Subscription.objects.get().tags == ["call", "inbound"]
    assert ListenerFilter.objects.get().filter_value == {"match": "+1555%"}


@pytest.mark.parametrize(
    "change",
    [
        {"subscriptions-0-tags": ["bogus"]},
        {"filters-0-filter_type": "number", "filters-0-filter_value": '{"eq": 5}'},
        {"filters-0-filter_type": "schedule", "filters-0-filter_value": '{"eq": "5"}'},
    ],
)
def test_bad_subscriptions_and_filters_are_refused(root_desk, callback, change):
    answer = root_desk.post(reverse("admin:profiles_app_listener_add"), listener_form(callback, **change))
    assert answer.status_code == 200
    assert not Listener.objects.exists()


@pytest.mark.parametrize("rows", [0, 1], ids=["no-row", "an-empty-row"])
def test_a_listener_without_tags_is_not_made(root_desk, callback, rows):
    form = listener_form(callback) | {"subscriptions-TOTAL_FORMS": rows}
    answer = root_desk.post(reverse("admin:profiles_app_listener_add"), form)
    assert answer.status_code == 200
    assert b"A listener needs a subscription" in answer.content or b"This field is required" in answer.content
    assert not Listener.objects.exists()


def test_an_empty_row_beside_others_is_refused_and_a_listener_of_rest_may_have_none(root_desk, listener):
    kept = listener.subscriptions.get()
    form = listener_form(listener.callback) | {
        "subscriptions-TOTAL_FORMS": 2,
        "subscriptions-INITIAL_FORMS": 1,
        "subscriptions-0-id": kept.pk,
        "subscriptions-0-listener": listener.pk,
        "subscriptions-0-tags": kept.tags,
    }
    assert b"This field is required" in root_desk.post(url_of(listener), form).content
    kept.delete()
    none = listener_form(listener.callback) | {"subscriptions-TOTAL_FORMS": 0}
    assert root_desk.post(url_of(listener), none).status_code == 302


def test_a_clerk_sees_no_other_accounts_rows(clerk_desk, strangers_rows, callback, listener):
    for row in strangers_rows:
        assert clerk_desk.get(url_of(row)).status_code == 404
        assert b"Strange" not in clerk_desk.get(list_of(type(row))).content
    reveal = reverse("admin:profiles_app_callback_test", args=[strangers_rows[1].pk])
    assert clerk_desk.post(reveal).status_code == 404


def test_rows_are_found_by_what_people_know(root_desk, callback, listener):
    for model, words in (
        (Callback, ("mine", "hooks.example", "acme")),
        (Listener, (str(listener.pk), "hooks", "mine")),
    ):
        for word in words:
            assert root_desk.get(list_of(model), {"q": word}).context["cl"].result_count == 1, word


@pytest.mark.parametrize("model", [EventProfile, Callback, Listener])
def test_lists_need_a_constant_number_of_queries(root_desk, acme, new_callback, model):
    counts = []
    for rows in (3, 12):
        for number in range(rows):
            profile = EventProfile.objects.create(account=acme, name=f"p{number}")
            listener = Listener.objects.create(account=acme, callback=new_callback(acme, profile_id=profile.pk))
            Subscription.objects.create(listener=listener, tags=["call"])
        root_desk.get(list_of(model))
        with CaptureQueriesContext(connection) as queries:
            assert root_desk.get(list_of(model)).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_another_host_needs_the_headers_again(clerk_desk, acme, new_callback, receiver):
    callback = new_callback(acme, url="https://hooks.example.org/in?key=s3cret-key")
    initial = clerk_desk.get(url_of(callback)).context["adminform"].form.initial
    assert initial["url"] == "https://hooks.example.org/in?key=true"
    moved = callback_form(url=receiver.url, headers=initial["headers"])
    assert list(errors(clerk_desk.post(url_of(callback), moved | {"_save_and_test": "1"}))) == ["headers"]
    assert receiver.requests == []
    kept = callback_form(url=initial["url"], headers=initial["headers"])
    assert clerk_desk.post(url_of(callback), kept).status_code == 302
    callback.refresh_from_db()
    assert (callback.config["url"], callback.config["headers"]) == (
        "https://hooks.example.org/in?key=s3cret-key",
        HEADERS,
    )
