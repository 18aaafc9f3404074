"""The admin's pages of the stock, orders, SIP connections and control apps, and `manage.py import_numbers`."""

import io

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.urls import reverse

from contacts_app.core.actor import system
from profiles_app.messaging.models import NumberLease
from profiles_app.numbers.models import NumberOrder, StockNumber
from profiles_app.numbers.services import place_order, save_stock_number, take_number
from profiles_app.sip.models import NumberRouting, SipConnection, SipControlApp
from tests.admin_people import at_desk, clerk

pytestmark = pytest.mark.django_db

ACTOR = system("test")
MODELS = ("sipconnection", "sipcontrolapp", "numberorder")


def page(model, name="changelist", *args):
    return reverse(f"admin:profiles_app_{model}_{name}", args=args)


def furnish(account, number):
    connection = SipConnection.objects.create(account=account, name=f"Office {number}")
    SipControlApp.objects.create(account=account, name=f"App {number}")
    tn = 12025550100 + number
    save_stock_number(StockNumber(tn=tn, region="Washington"))
    save_stock_number(StockNumber(tn=tn + 50))
    take_number(account=account, tn=tn, actor=ACTOR, targets={"sip_connection": connection})
    return place_order(NumberOrder(account=account, quantity=1, prefix=str(tn)[:9]), actor=ACTOR)


@pytest.fixture
def orders(acme, other):
    return furnish(acme, 1), furnish(other, 2)


def test_pages_open_and_show_tenants_their_own(root, acme, orders):
    desk, own = at_desk(root), at_desk(clerk(acme))
    for model in (*MODELS, "stocknumber", "numberlease"):
        rows = desk.get(page(model)).context["cl"].result_list
        assert len(rows) == (4 if model == "stocknumber" else 2)
        for row in rows:
            assert desk.get(page(model, "change", row.pk)).status_code == 200
        assert desk.get(page(model, "add")).status_code == 200
        shown = own.get(page(model)).context["cl"].result_list
        assert len(shown) == (0 if model == "stocknumber" else 1)
        assert {own.get(page(model, "change", row.pk)).status_code for row in rows} == (
            {404} if model == "stocknumber" else {200, 404}
        )
    assert own.get(page("stocknumber", "add")).status_code == 403
    assert own.get(page("stocknumber", "import")).status_code == 403


def test_only_staff_decide_about_orders(root, acme, orders):
    mine, theirs = orders
    own, desk = at_desk(clerk(acme)), at_desk(root)
    assert own.get(page("numberorder", "decide", mine.pk)).status_code == 404
    assert "Decide…" not in own.get(page("numberorder", "change", mine.pk)).content.decode()
    asked = desk.get(page("numberorder", "decide", mine.pk))
    assert "12025550151" in asked.content.decode()
    url = page("numberorder", "decide", mine.pk)
    wrong = desk.post(url, {"numbers": "12025550101", "decision": "fulfil"})
    assert "is taken" in wrong.content.decode()
    assert "telephone number" in desk.post(url, {"numbers": "twelve", "decision": "fulfil"}).content.decode()
    assert desk.post(url, {"numbers": "+1 202 555 0151", "answer": "Yes", "decision": "fulfil"}).status_code == 302
    mine.refresh_from_db()
    assert (mine.state, mine.answer, mine.decided_by) == ("success", "Yes", root)
    assert LogEntry.objects.get().change_message == "Fulfilled with 1 number."
    assert NumberLease.objects.get(tn=12025550151).account == acme
    assert desk.get(url).status_code == 404
    assert desk.post(page("numberorder", "decide", theirs.pk), {"decision": "refuse"}).status_code == 302
    theirs.refresh_from_db()
    assert theirs.state == "failed"


def test_a_tenant_orders_in_the_admin(acme, orders):
    own = at_desk(clerk(acme, email="second@acme.example"))
    sent = {"account": acme.pk, "quantity": 3, "kind": "tollfree", "prefix": "", "note": "Hotline", "autorenew": "on"}
    assert own.post(page("numberorder", "add"), sent).status_code == 302
    order = NumberOrder.objects.latest("created_at")
    assert (order.account, order.quantity, order.kind, order.state) == (acme, 3, "tollfree", "created")


def test_a_number_is_assigned_and_given_back_on_its_page(root, acme, other, orders):
    desk, lease = at_desk(root), NumberLease.objects.get(account=acme)
    app, strange = SipControlApp.objects.get(account=acme), SipControlApp.objects.get(account=other)
    form = {"tn": lease.tn, "messaging_profile": lease.messaging_profile_id, "destination": "101", "sent_count": 0}
    form |= {"delivered_count": 0, "spam_count": 0, "sip_connection": "", "autorenew": "on"}
    url = page("numberlease", "change", lease.pk)
    assert desk.post(url, form | {"sip_control_app": strange.pk}).status_code == 200
    assert desk.post(url, form | {"sip_control_app": app.pk}).status_code == 302
    routing = NumberRouting.objects.get(lease=lease)
    assert (routing.sip_control_app, routing.sip_connection) == (app, None)
    looks = clerk(acme)
    looks.user_permissions.set(Permission.objects.filter(codename="view_numberlease"))
    assert app.name in at_desk(looks).get(url).content.decode()
    assert desk.post(page("numberlease", "delete", lease.pk), {"post": "yes"}).status_code == 302
    assert StockNumber.objects.get(tn=lease.tn).lease is None


def test_a_leased_number_stays_in_stock(root, acme, orders):
    leased, free = StockNumber.objects.get(tn=12025550101), StockNumber.objects.get(tn=12025550151)
    desk = at_desk(root)
    assert desk.post(page("stocknumber", "delete", leased.pk), {"post": "yes"}).status_code == 403
    assert desk.post(page("stocknumber", "delete", free.pk), {"post": "yes"}).status_code == 302


def run(file, text, **options):
    file.write_text(text)
    out = io.StringIO()
    call_command("import_numbers", str(file), stdout=out, as_json=True, **options)
    return out.getvalue()


def test_numbers_are_imported_all_or_none(tmp_path, orders, acme):
    file = tmp_path / "numbers.csv"
    with pytest.raises(CommandError):
        run(file, "tn,region\n+44 20 7946 0101,London\nx,\n")
    assert StockNumber.objects.count() == 4
    assert '"created": 2' in run(file, "tn,region,monthly_price\n+44 20 7946 0101,London,1.50\n(1) 800 555-0100,,\n")
    made = StockNumber.objects.get(tn=442079460101)
    assert (made.region, str(made.monthly_price), made.kind) == ("London", "1.5000", "long_code")
    assert StockNumber.objects.get(tn=18005550100).kind == "tollfree"
    assert '"updated": 1' in run(file, "tn,region\n442079460101,Central London\n")
    with pytest.raises(CommandError):
        run(file, "tn\n442079460101\n", account=acme.voip_id)
