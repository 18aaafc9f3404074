"""What people do in the admin with what files are made from: asked before, told where values come from, masked."""

import re

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from phones_app.configuration.effect import FileEffect, what_changes
from phones_app.configuration.models import Layer, PhoneConfiguration
from profiles_app.phone.models import KeyLayout, PhoneProfile, PhoneTemplate
from profiles_app.phone.sources import remake
from tests.phones_app.configuration.data import TEMPLATE, layer, line, made_profile, phone
from tests.phones_app.site import sip_file

pytestmark = pytest.mark.django_db

LAYERS = reverse("admin:phones_app_layer_add")


def page(name: str, *keys: object) -> str:
    return reverse(f"admin:{name}", args=keys)


def values(**rows: str) -> dict[str, str]:
    """The table of values as a browser sends it, without scripts."""
    posted = {}
    for number, (name, value) in enumerate(rows.items()):
        posted |= {f"value_rows-{number}-name": name, f"value_rows-{number}-value": value}
    return posted


def kept_in(answer) -> dict[str, str]:
    [kept] = re.findall(r'name="_kept" value="([^"]+)"', answer.content.decode())
    return {"_kept": kept}


@pytest.fixture
def munich(acme, alice):
    """Two phones in Munich and one in Berlin, whose files are made from a template."""
    profile = made_profile(alice)
    layer(acme, values={"pbx": "pbx.example.org", "time_zone": "Europe/Berlin"})
    line(acme)
    phones = [
        phone(acme, 1, profile, name="Lobby"),
        phone(acme, 2, profile),
        phone(acme, 3, profile, location="Berlin"),
    ]
    for one in phones:
        layer(acme, kind="phone", phone=one, lines=[line(acme, f"20{one.pk:02}")])
    return layer(acme, kind="location", name="Munich", values={"ntp_servers": "10.0.0.1"}), phones


def test_a_layer_is_asked_about_and_then_rolled_out_to_exactly_its_phones(root_desk, munich):
    location, phones = munich
    url = page("phones_app_layer_change", location.pk)
    asked = root_desk.post(url, values(ntp_servers="10.0.0.2") | {"value_rows-0-lock": "1"})
    text = asked.content.decode()
    assert "2 phones" in text
    assert "10.0.0.2" in text
    location.refresh_from_db()
    assert location.values == {"ntp_servers": "10.0.0.1"}, "nothing is stored before the answer"
    again = root_desk.post(url, kept_in(asked) | {"_edit": "yes"})
    assert "Nothing is saved yet." in again.content.decode()
    saved = root_desk.post(url, kept_in(asked) | {"_confirmed": "yes"}, follow=True)
    location.refresh_from_db()
    assert (location.values, location.locks) == ({"ntp_servers": "10.0.0.2"}, ["ntp_servers"])
    link = page("phones_app_layer_roll_out", location.pk)
    assert link in saved.content.decode()
    PhoneConfiguration.objects.all().delete()
    for one in phones:
        PhoneConfiguration.objects.create(phone=one, sha256="a" * 64, file_sha256="b" * 64)
    chosen = root_desk.get(link).context["form"]["macs"].value()
    assert chosen == ",".join(one.mac for one in phones[:2])


def test_what_was_asked_of_one_page_is_no_answer_to_another(root_desk, munich):
    location, _ = munich
    asked = root_desk.post(page("phones_app_layer_change", location.pk), values(ntp_servers="10.0.0.2"))
    other = Layer.objects.get(kind="account")
    assert (
        root_desk.post(page("phones_app_layer_change", other.pk), kept_in(asked) | {"_confirmed": "1"}).status_code
        == 400
    )
    assert (
        root_desk.post(page("phones_app_layer_change", other.pk), {"_kept": "x", "_confirmed": "1"}).status_code == 400
    )


def test_a_wrong_value_is_said_at_its_row_and_a_secret_is_kept_unseen(root_desk, acme):
    form = {"kind": "location", "account": acme.pk, "name": "Berlin"}
    refused = root_desk.post(LAYERS, form | values(ntp_servers="two words!", door_code="1"))
    assert "NTP servers" in str(refused.context["adminform"].form.errors["value_rows"])
    assert not Layer.objects.exists()
    root_desk.post(
        LAYERS, form | values(ssh_password="hid-den-1", door_code="hid-den-2") | {"value_rows-1-secret": "1"}
    )
    stored = Layer.objects.get()
    assert stored.values == {}
    assert stored.secrets == {"ssh_password": "hid-den-1", "door_code": "hid-den-2"}
    url = page("phones_app_layer_change", stored.pk)
    assert "hid-den" not in root_desk.get(url).content.decode()
    root_desk.post(url, values(ssh_password="", door_code="hid-den-3", wifi_password="hid-den-4"))
    stored.refresh_from_db()
    assert stored.secrets == {"ssh_password": "hid-den-1", "door_code": "hid-den-3", "wifi_password": "hid-den-4"}
    assert stored.values == {}


def test_a_layer_is_about_what_its_kind_says(root_desk, acme, munich):
    free = phone(acme, 9)
    form = {"kind": "phone", "phone": free.pk, "account": "", "name": "left over", "line_rows-1-extension": "1001"}
    assert root_desk.post(LAYERS, form).status_code == 302
    made = Layer.objects.get(phone=free)
    assert (made.account, made.name, [str(one) for one in made.lines.all()]) == (acme, "", ["1001 Person 1001"])
    wrong = root_desk.post(LAYERS, {"kind": "family", "name": "99"})
    lines = root_desk.post(LAYERS, {"kind": "account", "account": acme.pk, "line_rows-1-extension": "1001"})
    assert "given to a phone" in str(lines.context["adminform"].form.errors["line_rows"]), "not dropped in silence"
    assert "There is no such family" in str(wrong.context["adminform"].form.errors["name"])
    wrong = root_desk.post(page("phones_app_layer_change", made.pk), {"line_rows-1-extension": "4711"})
    assert "no line 4711" in str(wrong.context["adminform"].form.errors["line_rows"])


def test_a_fragment_needs_a_reason_and_well_formed_xml(root_desk, munich):
    url = page("phones_app_layer_change", munich[0].pk)
    one = {"fragment_rows-1-path": "vendorConfig", "fragment_rows-1-action": "insert"}
    broken = root_desk.post(url, one | {"fragment_rows-1-xml": "<a>", "fragment_rows-1-reason": "x"})
    assert "well-formed" in str(broken.context["adminform"].form.errors["fragment_rows"])
    silent = root_desk.post(url, one | {"fragment_rows-1-xml": "<a/>"})
    assert "Say why" in str(silent.context["adminform"].form.errors["fragment_rows"])


def test_tenants_read_the_portals_layers_and_change_none_of_them(clerk_desk, acme):
    portals = layer(None, kind="portal", values={"ntp_servers": "10.9.9.9"})
    portals.secrets = {"ssh_password": "hid-den"}
    portals.save()
    url = page("phones_app_layer_change", portals.pk)
    text = clerk_desk.get(url).content.decode()
    assert "10.9.9.9" in text
    assert "hid-den" not in text
    assert clerk_desk.post(url, values(ntp_servers="10.0.0.1")).status_code == 403
    refused = clerk_desk.post(LAYERS, {"kind": "portal"} | values(ntp_servers="10.0.0.1"))
    assert refused.status_code == 200
    assert Layer.objects.count() == 1
    ours = {"kind": "location", "account": acme.pk, "name": "Munich"}
    assert clerk_desk.post(LAYERS, ours | values(ntp_servers="10.0.0.1")).status_code == 302


def test_a_phone_says_where_its_values_come_from_and_is_changed_at_a_layer(root_desk, acme, munich):
    location, phones = munich
    layer(None, kind="portal", values={"ntp_servers": "10.9.9.9"})
    url = page("phones_app_phone_configuration", phones[0].pk)
    text = root_desk.get(url).content.decode()
    assert "from location Munich" in text
    assert "hides 1 weaker value" in text
    assert "Nothing was uploaded for it yet." in text
    assert "location Munich" in root_desk.get(url, {"edit": "ntp_servers"}).content.decode()
    [look] = LogEntry.objects.filter(object_id=str(phones[0].pk))
    assert look.change_message == "Was shown the file that would be made with its passwords."
    change = {"name": "ntp_servers", "value": "10.0.0.7", "place": "location::"}
    asked = root_desk.post(url, change)
    assert "2 phones" in asked.content.decode()
    root_desk.post(url, kept_in(asked) | {"_confirmed": "yes"})
    location.refresh_from_db()
    assert location.values["ntp_servers"] == "10.0.0.7"
    # At a place that has no layer yet.
    own = root_desk.post(url, change | {"place": "model::", "value": "10.0.0.8"})
    assert "3 phones" in own.content.decode()
    root_desk.post(url, kept_in(own) | {"_confirmed": "yes"})
    assert Layer.objects.get(kind="model", account=acme).name == "8845"


def test_no_control_character_is_stored(root_desk, acme, alice):
    keys = {"key_rows-0-position": "1", "key_rows-0-kind": "speed-dial", "key_rows-0-target": "1\0", "name": "K"}
    root_desk.post(
        page("phones_app_layer_add"), {"kind": "location", "account": acme.pk, "name": "B"} | values(x="1\0")
    )
    root_desk.post(page("profiles_app_keylayout_add"), keys | {"account": acme.pk, "key_rows-0-label": "\0"})
    assert Layer.objects.get().values == {"x": "1"}
    [key] = KeyLayout.objects.get().keys
    assert (key["target"], key["label"]) == ("1", "")
    url = page("phones_app_phone_configuration", phone(acme, 1, made_profile(alice)).pk)
    sent = root_desk.post(url, {"name": "x", "value": "1\0", "place": "phone::"}, follow=True)
    assert "control character" in sent.content.decode()
    assert Layer.objects.count() == 1


def test_what_somebody_else_saves_at_a_layer_meanwhile_stays(root_desk, acme, alice, monkeypatch):
    one, account = phone(acme, 1, made_profile(alice, text="<device/>")), layer(acme, values={"x": "1"})

    def meanwhile(*args: object, **options: object) -> FileEffect:
        if account.values != {"x": "1", "y": "1"}:
            account.values = {"x": "1", "y": "1"}
            account.save()
        return what_changes(*args, **options)

    monkeypatch.setattr("phones_app.configuration.admin.phone.what_changes", meanwhile)
    url = page("phones_app_phone_configuration", one.pk)
    root_desk.post(url, {"name": "z", "value": "1", "place": "account::"})
    account.refresh_from_db()
    assert account.values == {"x": "1", "y": "1", "z": "1"}


def test_a_value_of_a_phone_is_refused_with_the_reason(root_desk, munich):
    url = page("phones_app_phone_configuration", munich[1][0].pk)
    change = {"name": "ntp_servers", "value": "no host!", "place": "phone::"}
    assert "NTP servers takes" in root_desk.post(url, change, follow=True).content.decode()
    assert root_desk.post(url, change | {"place": "group:99:"}).status_code == 404


def test_a_tenant_changes_no_layer_of_all_accounts_by_way_of_a_phone(clerk_desk, munich):
    layer(None, kind="portal", values={"ntp_servers": "10.9.9.9"})
    url = page("phones_app_phone_configuration", munich[1][0].pk)
    assert clerk_desk.get(url, {"edit": "ntp_servers"}).status_code == 200
    change = {"name": "ntp_servers", "value": "10.0.0.7", "place": "portal::all"}
    assert clerk_desk.post(url, change).status_code == 403


def test_a_template_is_tried_on_a_phone_as_it_is_typed(root_desk, clerk_desk, acme, other, munich):
    _, (lobby, *_) = munich
    url = page("profiles_app_phonetemplate_try")
    asked = {"sample": lobby.pk, "text": TEMPLATE}
    made = root_desk.post(url, asked, headers={"HX-Request": "true"}).content.decode()
    assert "pbx.example.org" in made
    assert f"secret-20{lobby.pk:02}" in made
    assert LogEntry.objects.filter(object_id=str(lobby.pk)).count() == 1
    masked = clerk_desk.post(url, asked, headers={"HX-Request": "true"}).content.decode()
    assert LogEntry.objects.filter(object_id=str(lobby.pk)).count() == 1, "who sees no passwords"
    assert "pbx.example.org" in masked
    assert f"secret-20{lobby.pk:02}" not in masked
    missing = root_desk.post(url, asked | {"text": TEMPLATE.replace("{{ pbx }}", "{{ nowhere }}")}).content.decode()
    line_of_it = TEMPLATE[: TEMPLATE.index("{{ pbx }}")].count("\n") + 1
    assert f'data-line="{line_of_it}"' in missing
    assert "location Munich" in missing
    assert "nowhere" in missing
    strange = phone(other, 7)
    assert "pbx.example.org" not in clerk_desk.post(url, asked | {"sample": strange.pk}).content.decode()


def test_a_template_in_use_is_asked_about_and_a_broken_one_refused(root_desk, munich):
    template = PhoneTemplate.objects.get()
    url = page("profiles_app_phonetemplate_change", template.pk)
    form = {"account": template.account_id, "name": template.name, "text": TEMPLATE.replace("D/M/Y", "M/D/Y")}
    asked = root_desk.post(url, form)
    assert "3 phones" in asked.content.decode()
    root_desk.post(url, kept_in(asked) | {"_confirmed": "yes"})
    template.refresh_from_db()
    assert "M/D/Y" in template.text
    broken = root_desk.post(url, form | {"text": "<device>{% if %}</device>"})
    assert "line 1" in str(broken.context["adminform"].form.errors["text"])


def test_a_built_in_template_is_copied_into_a_form(root_desk, clerk_desk):
    names = re.findall(r"\?built_in=([\w-]+)", root_desk.get(page("profiles_app_phonetemplate_copy")).content.decode())
    assert len(names) > 10
    copied = clerk_desk.get(page("profiles_app_phonetemplate_add"), {"built_in": names[0]})
    assert "<device>" in copied.context["adminform"].form.initial["text"]
    assert root_desk.get(page("profiles_app_phonetemplate_add"), {"built_in": "none"}).status_code == 404
    assert not PhoneTemplate.objects.exists()


KEYS = {
    "key_rows-0.1-position": "2", "key_rows-0.1-kind": "speed-dial", "key_rows-0.1-target": "1002",
    "key_rows-0.1-label": "Bar",
    "key_rows-0.2-position": "1", "key_rows-0.2-kind": "line", "key_rows-0.2-line": "1",
    "key_rows-1.1-position": "1", "key_rows-1.1-kind": "hold",
    "key_rows-0.s1-position": "", "key_rows-0.s1-kind": "",
}  # fmt: skip


def test_keys_are_kept_by_position_also_those_that_a_model_does_not_show(root_desk, acme):
    form = {"account": acme.pk, "name": "Reception", "module_1": "BEKEM"} | KEYS
    assert root_desk.post(page("profiles_app_keylayout_add"), form).status_code == 302
    layout = KeyLayout.objects.get()
    found = [(key["module"], key["position"], key["kind"]) for key in layout.keys]
    assert found == [(0, 1, "line"), (0, 2, "speed-dial"), (1, 1, "hold")]
    assert layout.modules == ["BEKEM"]
    url = page("profiles_app_keylayout_look")
    look = root_desk.post(url, form | {"look_model": "8851"}, headers={"HX-Request": "true"}).content.decode()
    assert "Key 1 of module 1 stays empty" in look
    assert ">Bar<" in look
    twice = root_desk.post(page("profiles_app_keylayout_change", layout.pk), form | {"key_rows-0.2-position": "2"})
    assert "Key 2 of the phone is there twice" in str(twice.context["adminform"].form.errors["key_rows"])
    lacks = root_desk.post(url, form | {"key_rows-0.1-target": ""}).content.decode()
    assert "needs a number" in lacks


def test_a_profile_is_made_from_data_and_a_file_again(root_desk, alice, munich):
    add, form = page("profiles_app_phoneprofile_add"), {"user": alice.pk, "name": "Built in", "compatible_models": ""}
    assert root_desk.post(add, form | {"source": "built-in", "cnf_xml": "no file"}).status_code == 302
    profile = PhoneProfile.objects.get(name="Built in")
    assert (profile.source, profile.template) == ("built-in", None)
    url = page("profiles_app_phoneprofile_change", profile.pk)
    nothing = root_desk.post(url, form | {"source": "template"})
    assert "A template has to be chosen." in str(nothing.context["adminform"].form.errors["template"])
    assert (
        root_desk.post(url, form | {"source": "template", "template": PhoneTemplate.objects.get().pk}).status_code
        == 302
    )
    assert root_desk.post(url, form | {"source": "file", "cnf_xml": sip_file()}).status_code == 302
    profile.refresh_from_db()
    assert (profile.source, profile.template, profile.content) == ("file", None, sip_file().encode())


def test_the_phones_of_a_profile_that_run_an_old_revision_are_listed(root_desk, munich):
    _, phones = munich
    PhoneConfiguration.objects.all().delete()
    for one, digest in zip(phones, "ab", strict=False):
        PhoneConfiguration.objects.create(phone=one, sha256=digest * 64, file_sha256="b" * 64)
    profile = PhoneProfile.objects.get()
    text = root_desk.get(page("profiles_app_phoneprofile_change", profile.pk)).content.decode()
    assert "1 phone</strong>" in text
    assert "Lobby" in text
    assert f'name="phones" value="{phones[0].pk}"' in text
    chosen = root_desk.get(page("profiles_app_phoneprofile_roll_out", profile.pk)).context["form"]["macs"].value()
    assert chosen == phones[0].mac


def test_a_value_of_a_phone_that_a_lock_refuses_is_told_to_have_no_effect(root_desk, munich):
    account = Layer.objects.get(kind="account")
    account.values, account.locks = account.values | {"web_access": "off"}, ["web_access"]
    account.save()
    _, (lobby, *_) = munich
    url = page("phones_app_phone_configuration", lobby.pk)
    form = root_desk.get(f"{url}?edit=ssh_access").context
    [own] = [place.key for place in form["offered"] if "Lobby" in place.label]
    assert form["chosen"] == own, "never at the portal unasked"
    saved = root_desk.post(url, {"name": "web_access", "value": "on", "place": own}, follow=True)
    told = [str(message) for message in saved.context["messages"]]
    assert told[0] == f"Web access is saved at phone {lobby}."
    assert "It has no effect: account" in told[1]


def test_phones_without_a_file_are_not_among_those_that_have_theirs(root_desk, munich):
    location, (lobby, *_) = munich
    PhoneConfiguration.objects.update_or_create(phone=lobby, defaults={"error": "“pbx” has no value"})
    text = root_desk.get(page("phones_app_layer_change", location.pk)).content.decode()
    assert "For 1 phone no file can be made: “pbx” has no value." in text
    assert "All phones have the file" not in text


def test_the_file_without_a_phone_is_not_blamed_for_having_no_lines(root_desk, munich):
    profile = PhoneProfile.objects.get(name="Made")
    remake(profile)
    text = root_desk.get(page("profiles_app_phoneprofile_change", profile.pk)).content.decode()
    assert "and so without lines" in text
    assert "no-line" not in text
