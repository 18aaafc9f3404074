"""Editors, ring tones and backgrounds in the admin: what phones are given afterwards (boot server spec §11)."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from contacts_app.accounts.models import Account
from contacts_app.tokens.services import create_token
from phones_app.inventory.models import Phone
from phones_app.shared_files import services
from phones_app.shared_files.admin import editors
from phones_app.shared_files.checks import findings_of
from phones_app.shared_files.media import add_background, add_ring_tone, entries_of
from phones_app.shared_files.models import SharedFile
from profiles_app.phone.companions.lists import RINGS, ListEntry
from tests.admin_people import at_desk, clerk
from tests.phones_app.shared_files.test_media import EVERYBODY, picture, put, sound, text_of

__all__ = ["picture"]
pytestmark = pytest.mark.django_db


def page(name, *args, **query):
    url = reverse(f"admin:phones_app_sharedfile_{name}", args=args)
    return f"{url}?{'&'.join(f'{key}={value}' for key, value in query.items())}" if query else url


def messages_of(answer):
    return [str(message) for message in answer.context["messages"]]


def test_ring_tones_are_added_heard_ordered_and_deleted_in_the_admin(root):
    desk = at_desk(root)
    url = page("ring_tones")
    for name in ("One", "Two"):
        upload = SimpleUploadedFile("x.wav", sound())
        answer = desk.post(url, {"add": "1", "name": name, "sound": upload}, follow=True)
        assert messages_of(answer) == [f"{name} is a ring tone now, as {name}.raw and {name}.rwb."]
    row = SharedFile.objects.get(path="One.rwb")
    heard = desk.get(page("ring_tone", row.pk))
    assert (heard["Content-Type"], heard.content[:4], heard["X-Content-Type-Options"]) == (
        "audio/wav",
        b"RIFF",
        "nosniff",
    )
    order = {"list": "Ringlist.xml", "order": "1"}
    places = {"entry-1-file": "One.raw", "entry-1-position": "2", "entry-2-file": "Two.raw", "entry-2-position": "1"}
    desk.post(url, order | places)
    assert [entry.name for entry in entries_of(EVERYBODY, RINGS, "Ringlist.xml")] == ["Two", "One"]
    desk.post(url, {"list": "Ringlist.xml", "remove": "One.raw"})
    assert "One.raw" not in text_of("Ringlist.xml")
    assert desk.post(url, {"list": "other.xml", "order": "1"}).status_code == 404
    too_long = desk.post(url, {"add": "1", "name": "Long", "sound": SimpleUploadedFile("x.wav", sound(3))})
    assert b"play 2.01 at most" in too_long.content
    assert (
        b"can be read" in desk.post(url, {"add": "1", "name": "No", "sound": SimpleUploadedFile("x", b"text")}).content
    )


def test_backgrounds_are_added_looked_at_and_deleted_in_the_admin(root, picture):
    desk = at_desk(root)
    url = page("backgrounds")
    answer = desk.post(url, {"add": "1", "name": "hills", "picture": SimpleUploadedFile("x.png", picture)}, follow=True)
    assert messages_of(answer) == ["hills is a background now. Files: 23."]
    row = SharedFile.objects.get(path="Desktops/800x480x24/hills.png")
    assert page("background", row.pk).encode() in answer.content
    assert desk.get(page("background", row.pk))["Content-Type"] == "image/png"
    assert (
        b"cannot be read"
        in desk.post(url, {"add": "1", "name": "x", "picture": SimpleUploadedFile("x.png", b"no")}).content
    )
    named = desk.post(url, {"add": "1", "name": "x y", "picture": SimpleUploadedFile("x.png", picture)})
    assert named.context["form"].errors == {"name": ["“x y” is no name: up to 21 letters, digits, - and _."]}
    desk.post(url, {"remove": "hills"})
    assert not SharedFile.objects.filter(kind="background").exists()


def test_a_dial_template_is_written_as_a_table_and_as_text(root):
    desk = at_desk(root)
    new = page("edit", "dial-template", "new")
    rules = {"rows-0-match": "9.,...", "rows-0-timeout": "0", "rows-0-tones": "cisco-zip", "rows-0-remark": "out"}
    answer = desk.post(new, {"path": "dialplan.xml", **rules, "rows-1-match": "*", "rows-1-timeout": "5"}, follow=True)
    assert answer.status_code == 200
    row = SharedFile.objects.get(path="dialplan.xml")
    assert row.kind == "dial-template"
    assert '<!-- out -->\n  <TEMPLATE MATCH="9.,..." Timeout="0" Tone="Cisco-Zip"/>' in text_of("dialplan.xml")
    edit = page("edit", "dial-template", row.pk)
    assert b'value="9.,..."' in desk.get(edit).content
    wrong = desk.post(edit, {"before": row.sha256, "rows-0-match": "1", "rows-0-timeout": "soon"})
    assert b"Rule 1: the timeout" in wrong.content
    text = '<DIALTEMPLATE>\n<TEMPLATE MATCH="1" Foo="2"/>\n</DIALTEMPLATE>'
    assert (
        "Line 2: Phones leave this rule out" in desk.post(edit, {"before": row.sha256, "text": text}).content.decode()
    )
    good = text.replace(' Foo="2"', "")
    assert desk.post(edit, {"before": row.sha256, "text": good}).status_code == 302
    assert text_of("dialplan.xml") == good
    stale = desk.post(edit, {"before": row.sha256, "text": good + "\n"})
    assert b"Somebody else has changed this file" in stale.content
    taken = desk.post(new, {"path": "DialPlan.xml", **rules})
    assert b"There is a file at this path already." in taken.content
    assert b"Files of single phones" in desk.post(new, {"path": "SEP001122334455.cnf.xml", **rules}).content


def test_a_number_is_tried_as_it_is_typed(root):
    desk = at_desk(root)
    check = page("edit_check", "dial-template")
    typed = {"rows-0-match": "3..", "rows-0-timeout": "0", "rows-0-rewrite": "0%1", "typed": "3019", "try_line": "1"}
    answer = desk.post(check, typed, headers={"HX-Request": "true"})
    assert (answer.context["tried"].sent, answer.context["left_over"]) == ("001", "9")
    assert b"No findings" in answer.content
    assert b"A number has digits" in desk.post(check, typed | {"typed": "abc"}).content
    cut = {"text": '<DIALTEMPLATE><TEMPLATE MATCH="9" Timeout="0"/><TEMPLATE MATCH="911"/></DIALTEMPLATE>'}
    assert "is cut off" in desk.post(check, cut).content.decode()
    assert desk.get(check).status_code == 405


def test_soft_keys_are_written_by_states(root):
    desk = at_desk(root)
    new = page("edit", "soft-keys", "new")
    assert b"Digits After First" in desk.get(new).content
    keys = {"rows-0.0-key": "NewCall", "rows-0.1-key": "Redial", "rows-5.0-key": "EndCall"}
    assert desk.post(new, {"path": "softkeys.xml", **keys}).status_code == 302
    assert '<softKeySet id="On Hook">\n      <softKey keyID="NewCall"/>' in text_of("softkeys.xml")
    missing = desk.post(new, {"path": "b.xml", "rows-0.0-key": "Redial"})
    assert "“NewCall” has to be there." in missing.content.decode()
    row = SharedFile.objects.get(path="softkeys.xml")
    assert b" selected>NewCall" in desk.get(page("edit", "soft-keys", row.pk)).content


def test_a_file_that_a_table_cannot_show_is_edited_as_text(root):
    row = put("softkeys.xml", b'<softKeyCfg><softKeySets><softKeySet id="Own"/></softKeySets></softKeyCfg>')
    assert row.kind == "soft-keys"
    assert b'name="text"' in at_desk(root).get(page("edit", "soft-keys", row.pk)).content


def test_other_kinds_and_other_accounts_files_are_absent(root, acme, picture):
    other = Account.objects.create(voip_id=77, name="Other")
    hers = put("dialplan.xml", b"<DIALTEMPLATE/>", account=other)
    tone = put("x.raw", b"\x7f" * 240, account=other)
    desk = at_desk(clerk(acme))
    for url in (
        page("edit", "dial-template", hers.pk),
        page("ring_tone", tone.pk),
        page("ring_tones", account=other.pk),
        page("backgrounds", account=other.pk),
        page("edit", "firmware", "new"),
        page("editor", "firmware"),
        page("edit", "dial-template", "x"),
    ):
        assert desk.get(url).status_code == 404, url
    assert at_desk(root).get(page("ring_tone", hers.pk)).status_code == 404


def test_a_tenant_sees_everybodys_and_changes_its_own(acme):
    shared = put("dialplan.xml", b'<DIALTEMPLATE><TEMPLATE MATCH="1"/></DIALTEMPLATE>')
    desk = at_desk(clerk(acme))
    edit = page("edit", "dial-template", shared.pk)
    assert desk.get(edit).status_code == 200
    assert desk.post(edit, {"before": shared.sha256, "text": "<DIALTEMPLATE/>"}).status_code == 403
    upload = {"add": "1", "name": "Mine", "sound": SimpleUploadedFile("x.wav", sound())}
    assert desk.post(page("ring_tones"), upload).status_code == 302
    assert SharedFile.objects.get(path="Mine.raw").account == acme


def test_a_phone_has_ring_tones_of_its_own(root, acme):
    phone = Phone.objects.create(account=acme, mac="AABBCC001122", model="8841")
    upload = {"add": "1", "name": "Own", "sound": SimpleUploadedFile("x.wav", sound())}
    assert at_desk(root).post(page("ring_tones", phone=phone.pk), upload).status_code == 302
    assert SharedFile.objects.get(path="Own.rwb").phone == phone
    assert services.nearest(services.given_to(phone, None))["ringlist-wb.xml"].phone == phone
    other = Account.objects.create(voip_id=77, name="Other")
    assert at_desk(root).get(page("ring_tones", phone=phone.pk, account=other.pk)).status_code == 404


def test_who_may_only_look_changes_nothing(acme, root):
    put("dialplan.xml", b"<DIALTEMPLATE/>", account=acme)
    looker = clerk(acme, without="add_sharedfile")
    desk = at_desk(looker)
    upload = {"add": "1", "name": "Mine", "sound": SimpleUploadedFile("x.wav", sound())}
    assert desk.post(page("ring_tones"), upload).status_code == 403
    assert b"Add a ring tone" not in desk.get(page("ring_tones")).content
    assert (
        desk.post(page("edit", "dial-template", "new"), {"path": "a.xml", "text": "<DIALTEMPLATE/>"}).status_code == 403
    )


def test_the_page_of_a_file_says_what_phones_make_of_it(root, picture):
    desk = at_desk(root)
    add_background(EVERYBODY, "hills", picture)
    add_ring_tone(EVERYBODY, "Old bell", sound())
    for path in ("Desktops/320x196x4/hills.png", "Desktops/320x196x4/TN-hills.png", "Old-bell.raw", "Ringlist.xml"):
        shown = desk.get(page("change", SharedFile.objects.get(path=path).pk))
        assert (shown.context["checked"], shown.context["findings"]) == (True, []), path
        assert b"No findings." in shown.content
    for path, content, text in (
        ("Desktops/320x196x4/lake.png", picture, "256 × 256 pixels; phones show 320 × 196"),
        ("Desktops/320x196x4/sea.png", b"no", "It is no PNG"),
        ("dialplan.xml", b"<DIALTEMPLATE>\n<template/></DIALTEMPLATE>", "Line 2: Phones see"),
        ("short.raw", b"x", "It has 1 samples"),
        ("SIPDefault.cnf", b"proxy1_adress: 192.0.2.1\n", "perhaps proxy1_address is meant"),
        ("SIPDefault.cnf", b"<device/>", "“SIPDefault.cnf” is not SEP&lt;MAC&gt;.cnf.xml"),
    ):
        shown = desk.get(page("change", put(path, content).pk)).content.decode()
        assert text in shown, path
    row = SharedFile.objects.get(path="dialplan.xml")
    assert desk.get(page("edit_one", row.pk))["Location"] == page("edit", "dial-template", row.pk)


def test_lists_are_told_what_their_entries_lack(root, acme, picture, settings, tmp_path):
    settings.PHONE_FILES_DIR = tmp_path / "files"
    settings.PHONE_FILES_DIR.mkdir()
    add_ring_tone(EVERYBODY, "Old bell", sound())
    add_background(EVERYBODY, "hills", picture)
    put(
        "Ringlist.xml",
        RINGS.with_entry(text_of("Ringlist.xml").encode(), ListEntry("Gone", "../gone.raw")),
        account=acme,
    )
    put("Old-bell.raw", b"x" * 240, account=Account.objects.create(voip_id=77, name="Other"))
    (settings.PHONE_FILES_DIR / "In-folder.raw").write_bytes(b"x" * 240)
    row = put(
        "Ringlist.xml",
        RINGS.with_entry(text_of("Ringlist.xml", account=acme).encode(), ListEntry("In", "In-folder.raw")),
        account=acme,
    )
    assert [(one.code, one.message.split("”")[0]) for one in findings_of(row)] == [("missing-file", "“../gone.raw")]
    services.remove(SharedFile.objects.filter(path="Old-bell.raw", account=None))
    assert len(findings_of(row)) == 2
    services.remove(SharedFile.objects.filter(path="Desktops/320x196x4/TN-hills.png"))
    [finding] = findings_of(SharedFile.objects.get(path="Desktops/320x196x4/List.xml"))
    assert "TFTP:Desktops/320x196x4/TN-hills.png" in finding.message
    assert findings_of(SharedFile.objects.get(path="Desktops/320x212x16/List.xml")) == []


def test_what_7940_phones_read_is_not_taken_for_a_mistake():
    assert findings_of(put("RINGLIST.DAT", b"Old bell\tbell.pcm\n")) is None
    assert findings_of(put("bell.pcm", b"x" * 20_000)) is None


def test_a_file_is_checked_and_a_number_tried_over_rest(acme):
    client = Client(headers={"Authorization": f"Bearer {create_token(account=acme)[1]}"})
    plan = put("dialplan.xml", b'<DIALTEMPLATE><TEMPLATE MATCH="9,.." Timeout="0" Rewrite="0%1"/></DIALTEMPLATE>')

    def ask(row, **query):
        return client.get(f"/api/v1/files/{row.uuid}/check", query_params=query)

    assert ask(plan).json()["data"] == {"findings": [], "dialled": None}
    assert ask(plan, number="9123").json()["data"]["dialled"] == {
        "rule": 1,
        "pattern": "9,..",
        "used": "912",
        "seconds": 0,
        "sent": "012",
        "tones": [{"after": 1, "tone": "Bellcore-Outside"}],
    }
    assert ask(plan, number="12a").status_code == 400
    assert ask(plan, digits="12").status_code == 400
    spoilt = put("softkeys.xml", b"<softKeyCfg>", account=acme)
    assert [each["code"] for each in ask(spoilt).json()["data"]["findings"]] == ["not-xml"]
    assert ask(put("x.loads", b"x"), number="1").json()["data"] == {"findings": None, "dialled": None}
    other = Account.objects.create(voip_id=77, name="Other")
    assert ask(put("dialplan.xml", b"<DIALTEMPLATE/>", account=other)).status_code == 404


def test_what_is_stored_while_an_edit_is_under_way_is_not_lost(root, monkeypatch):
    desk, ours, theirs = at_desk(root), "<DIALTEMPLATE><!-- ours --></DIALTEMPLATE>", b"<DIALTEMPLATE/>"
    put("dialplan.xml", b"<DIALTEMPLATE><!-- first --></DIALTEMPLATE>")
    row = SharedFile.objects.get()
    take_in_one = editors.take_in_one

    def later(*args, **kwargs):
        put(args[1].path, theirs)
        return take_in_one(*args, **kwargs)

    monkeypatch.setattr(editors, "take_in_one", later)
    sent = {"text": ours, "before": row.sha256}
    assert b"Somebody else has changed this file" in desk.post(page("edit", "dial-template", row.pk), sent).content
    new = desk.post(page("edit", "dial-template", "new"), {"text": ours, "path": "other.xml", "before": ""})
    assert b"There is a file at this path already" in new.content
    assert {text_of(path) for path in ("dialplan.xml", "other.xml")} == {theirs.decode()}
