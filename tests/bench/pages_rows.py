"""What the benchmark `pages` looks at: the demo, 100,000 phones with a deployment each, rows of every list; and from
where its walk begins. A process of its own, because settings are read once. Prints JSON.
"""

import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from tests.bench.sizes import size

PHONES = size("BENCH_PHONES", 100_000)
# Made up of each model at least; of what grows with phones and people there are copies, as many as there are phones.
ROWS = 101
MANY = (
    *("contacts_app.Extension", "contacts_app.Mail", "contacts_app.User", "phones_app.FileFetch"),
    *("phones_app.MobilitySession", "phones_app.RequestedFile", "profiles_app.CallRecord", "profiles_app.Delivery"),
    *("profiles_app.Event", "profiles_app.InboundMessage", "profiles_app.Line", "profiles_app.Message"),
    *("profiles_app.PhoneProfile", "profiles_app.StockNumber"),
)
# Of these all are one account's, whose people see them in the portal.
OF_ONE = ("phones_app.Phone", "profiles_app.CallRecord")


def main() -> None:
    import django

    from config.environment import prepare

    prepare()
    django.setup()
    import config.urls  # noqa: F401 - finds the pages of the admin
    from contacts_app.people.models import User
    from phones_app.inventory.models import Phone
    from tests.admin_people import at_desk
    from tests.profiles_app.visitors import FLAGS, grant, visit

    began = time.monotonic()
    account = _fill()
    root = User.objects.create_superuser("root@bench.example", "correct horse")
    person = User.objects.create_user("person@bench.example", "correct horse", account=account, permission_level=0)
    grant(account, *FLAGS)
    phone = Phone.objects.exclude(name="").order_by("pk")[PHONES // 2]
    told = {
        "phones": Phone.objects.count(),
        "seconds": time.monotonic() - began,
        "sites": {"admin": list(dict.fromkeys(_of_admin(root))), "my-account": ["/my-account/"]},
        "cookies": {
            site: _cookies(client) for site, client in (("admin", at_desk(root)), ("my-account", visit(person)))
        },
        "words": [phone.mac, phone.mac[6:], phone.name, "ti", "time zone", "zzqqzz"],
    }
    print(json.dumps(told))


def _cookies(client: Any) -> list[dict[str, str]]:
    return [{"name": name, "value": cookie.value} for name, cookie in client.cookies.items()]


def _fill() -> Any:
    from django.contrib import admin
    from django.db import connection, transaction

    from contacts_app.accounts.models import Account
    from contacts_app.people.models import User
    from phones_app.demo.demo import load_demo
    from phones_app.rollout.counting import count_anew
    from phones_app.tallies import DEPLOYMENTS as TALLY_OF_DEPLOYMENTS
    from phones_app.tallies import PHONES as TALLY_OF_PHONES
    from tests.many_rows import make_rows, multiply, without_foreign_keys

    models = {model._meta.label: model for model in admin.site._registry if model._meta.app_label != "auth"}
    with transaction.atomic():
        without_foreign_keys()
        # People first: to them the rows of others are made to belong.
        for model in sorted(models.values(), key=lambda model: model is not User):
            if (there := model._default_manager.count()) < ROWS:
                make_rows(model, there, ROWS)
        # Before there are many of them.
        account = Account.objects.filter(is_active=True).order_by("pk")[0]
        for label in OF_ONE:
            models[label]._default_manager.update(account=account)
        # Where nothing answers, and is known at once not to.
        for label in ("phones_app.FileServer", "phones_app.CallManager"):
            models[label]._default_manager.update(host="127.0.0.1", port=9)
        for label in ("phones_app.Phone", *MANY):
            multiply(models[label], PHONES // ROWS)
        load_demo(url="http://127.0.0.1:8000")
        rollout = _rolled_out(account)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    # As workers do all the time.
    for tally in (TALLY_OF_PHONES, TALLY_OF_DEPLOYMENTS):
        tally.count()
    count_anew(rollout)
    return account


def _rolled_out(account: Any) -> Any:
    """A rollout that has ended, with a deployment of each phone, of which one in fifty failed; the files lie there."""
    from datetime import timedelta

    from django.utils import timezone

    from phones_app.configuration.models import PhoneConfiguration
    from phones_app.deployment.models import Deployment, LastDeployment, PhoneFile
    from phones_app.inventory.models import Phone
    from phones_app.rollout.models import Rollout, RolloutMember

    day = timezone.now() - timedelta(days=1)
    said = {"account": account, "requested_by": "root@bench.example", "channel": "admin", "finished_at": day}
    rollout = Rollout.objects.create(name="All phones", total=PHONES, state="finished", waves=1, wave=1, **said)
    phone = Phone.objects.order_by("pk").last()
    one = Deployment.objects.create(
        phone=phone, mac=phone.mac, state="confirmed", profile_name="Desk", started_at=day, next_attempt_at=None, **said
    )
    first = Deployment.objects.order_by("pk").last().pk
    for model in (LastDeployment, PhoneConfiguration, PhoneFile):
        model.objects.all().delete()
    failed = "p.id %% 50 = 0"
    _for_each(
        one,
        "phones_app_phone AS p",
        phone_id="p.id", mac="p.mac", account_id="p.account_id", uuid="gen_random_uuid()",
        state=f"CASE WHEN {failed} THEN 'failed' ELSE 'confirmed' END",
        error_code=f"CASE WHEN {failed} THEN 'unreachable' ELSE '' END",
        error=f"CASE WHEN {failed} THEN 'The file server did not answer.' ELSE '' END",
    )  # fmt: skip
    new = f"phones_app_deployment AS d WHERE d.id > {first}"
    member = RolloutMember.objects.create(rollout=rollout, deployment=one, wave=1)
    _for_each(member, new, deployment_id="d.id")
    last = LastDeployment.objects.create(phone=phone, deployment=one)
    _for_each(last, f"{new} AND d.phone_id <> {phone.pk}", phone_id="d.phone_id", deployment_id="d.id")
    others = f"phones_app_phone AS p WHERE p.id <> {phone.pk}"
    sha256 = {"sha256": "0" * 64}
    made = PhoneConfiguration.objects.create(phone=phone, rendered_at=day, **sha256)
    _for_each(made, others, phone_id="p.id")
    file = PhoneFile.objects.create(
        phone=phone, uploaded_at=day, state_since=day, next_check_at=day + timedelta(days=3), **sha256
    )
    _for_each(file, others, phone_id="p.id")
    return rollout


def _for_each(row: Any, of: str, **columns: str) -> None:
    """The same row once more for each row of another table, with these columns of it."""
    from django.db import connection

    table, key = row._meta.db_table, row._meta.pk
    names = [field.column for field in row._meta.concrete_fields if field.column in columns or not field.primary_key]
    shown = ", ".join(columns.get(name, f't."{name}"') for name in names)
    into = ", ".join(f'"{name}"' for name in names)
    where = of if " WHERE " in of else f"{of} WHERE true"
    source, _, condition = where.partition(" WHERE ")
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} ({into}) SELECT {shown} FROM {table} AS t, {source} "
            f'WHERE {condition} AND t."{key.column}" = %s',
            [row.pk],
        )


def _of_admin(person: Any) -> Iterator[str]:
    """The menu; of each model that has pages its list, a filter and a search of it, the page that adds, and a row."""
    from django.contrib import admin
    from django.test import RequestFactory
    from django.urls import reverse

    from contacts_app.core.admin.links import list_url, page_of

    def asked(path: str, **query: str) -> Any:
        request = RequestFactory().get(path, query)
        request.user = person
        return request

    yield reverse("admin:index")
    for section in admin.site.get_sidebar_list(asked("/")):
        yield from (str(item["link"]) for item in section["items"])
    for model, pages in admin.site._registry.items():
        there = list_url(model)
        yield there
        lists = pages.get_changelist_instance(asked(there))
        if lists.filter_specs:
            yield f"{there}?{urlencode(_value_of(lists.filter_specs[0]))}"
        if pages.search_fields:
            yield f"{there}?q=name77"
        yield reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_add")
        if row := model._default_manager.order_by("pk").first():
            yield page_of(row)


def _value_of(spec: Any) -> dict[str, str]:
    """What the filter's first choice asks for."""
    if getattr(spec, "lookup_choices", None) and not hasattr(spec, "field"):
        return {spec.expected_parameters()[0]: str(spec.lookup_choices[0][0])}
    field = getattr(spec, "field", None)
    if field is None or spec.__class__.__name__.startswith("Day"):
        return {f"{spec.field_path}_from": time.strftime("%Y-%m-%d")}
    if field.is_relation:
        return {spec.lookup_kwarg: str(field.related_model._default_manager.order_by("pk").first().pk)}
    if field.choices:
        return {spec.lookup_kwarg: str(field.flatchoices[0][0])}
    return {getattr(spec, "lookup_kwarg", f"{spec.field_path}__exact"): "1"}


if __name__ == "__main__":
    os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
    main()
