"""A handset is replaced: the phone goes on with the new one, and the old one's file is gone."""

import pytest

from contacts_app.core.errors import Refusal
from contacts_app.core.work.queue import run_queue
from phones_app.deployment.models import Deployment, LeftFile, State
from phones_app.deployment.removals import Removals
from phones_app.deployment.request import deploy
from phones_app.inventory.models import Phone, PhoneGroup
from phones_app.mobility.replacement import Handset, preview, replace_handset
from profiles_app.events.models.outbox import Event
from tests.phones_app.site import ACTOR, sip_file

NEW = "02000000BB01"
SPEED_DIAL = (
    '<line button="9"><featureID>21</featureID><featureLabel>Boss</featureLabel>'
    "<speedDialNumber>1000</speedDialNumber></line></sipLines>"
)


@pytest.mark.django_db(transaction=True)
def test_the_old_file_goes_and_the_new_phone_is_confirmed(site, acme, finish, no_inline_work):
    phone = site.phone(name="Reception", location="Lobby", line_user="")
    profile = site.profile(content=sip_file("1002"))
    PhoneGroup.objects.create(account=acme, name="Ground floor").phones.add(phone)
    with site.alive(phone):
        first = finish(deploy(phone=phone, profile=profile, actor=ACTOR))
    old_mac, key = phone.mac, phone.pk
    old_file = site.folder / f"SEP{old_mac}.cnf.xml"
    assert old_file.exists()
    # The new handset was looked at in the store: it has a row and fetched a file, but was never deployed to.
    spare = site.phone(model="8861")
    Phone.objects.filter(pk=spare.pk).update(mac=NEW)
    (site.folder / f"SEP{NEW}.cnf.xml").write_text(sip_file("1002"))
    spare.mac = NEW
    with site.alive(spare) as fleet:
        ports = {"sip_port": fleet[NEW].sip_port, "web_port": fleet[NEW].web_port, "line_user": "1002"}
        Phone.objects.filter(pk=key).update(**ports)
        done = replace_handset(phone, Handset(NEW, "8861", "127.0.0.1"), actor=ACTOR, reason="Broken display")
        second = finish(done.deployment)
    assert (first.state, second.state) == (State.CONFIRMED, State.CONFIRMED), second.error
    run_queue(Removals.queue)
    assert not old_file.exists()
    assert not LeftFile.objects.exists()
    row, old = Phone.objects.get(pk=key), Phone.objects.get(mac=old_mac)
    assert (row.mac, row.model, row.name, row.location, row.current_profile) == (
        NEW,
        "8861",
        "Reception",
        "Lobby",
        profile,
    )
    assert row.groups.get().name == "Ground floor"
    assert (old.is_active, old.replaced_by, old.model, old.phone_ip) == (False, row, "8845", None)
    # One history: of both handsets, their deployments and what was changed.
    assert list(Deployment.objects.filter(phone=row).order_by("pk")) == [first, second]
    assert {record.mac for record in row.history.all()} == {old_mac, NEW}
    assert "Broken display" in row.history.filter(mac=NEW).values_list("history_change_reason", flat=True)
    assert ["phone", "phone-replaced"] in [event.tags for event in Event.objects.all()]
    with pytest.raises(Refusal, match="inactive"):
        deploy(phone=old, profile=profile, actor=ACTOR)


@pytest.mark.django_db
def test_what_the_new_model_lacks_is_told_before(site, new_profile, new_phone):
    content = sip_file().replace("</sipLines>", SPEED_DIAL)
    phone = new_phone(model="8845", current_profile=new_profile(content=content))
    planned = preview(phone, Handset(NEW, "7841"))
    assert planned.lacks == ["key 9, Boss"]
    assert planned.refusal is None
    assert preview(phone, Handset(NEW, "8865")).lacks == []
    assert Phone.objects.count() == 1


@pytest.mark.django_db
def test_what_may_not_be(new_profile, new_phone, acme, other):
    profile = new_profile(compatible_models=["8845"])
    phone = new_phone(model="8845", current_profile=profile)
    busy = new_phone("AABBCCDDEE02", model="8845", current_profile=profile)
    Phone.objects.create(mac="AABBCCDDEE03", account=other)
    for mac, model, code in (
        (phone.mac, "8845", "mac-in-use"),
        (busy.mac, "8845", "mac-in-use"),
        ("AABBCCDDEE03", "8845", "mac-in-use"),
        (NEW, "7962", "model-mismatch"),
    ):
        with pytest.raises(Refusal) as refused:
            replace_handset(phone, Handset(mac, model), actor=ACTOR)
        assert refused.value.code == code
    assert Phone.objects.filter(replaced_by=None).count() == 3


@pytest.mark.django_db
def test_a_retired_handset_can_come_back(new_phone):
    phone = new_phone(model="8845")
    old = phone.mac
    replace_handset(phone, Handset(NEW), actor=ACTOR)
    replace_handset(phone, Handset(old), actor=ACTOR)
    phone.refresh_from_db()
    assert phone.mac == old
    assert list(Phone.objects.filter(replaced_by=phone).values_list("mac", flat=True)) == [NEW]
