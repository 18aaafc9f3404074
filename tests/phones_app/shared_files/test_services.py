"""Shared files as other subjects put them there: whose they are, what replaces what, and who hears of it."""

import os

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from contacts_app.core.actor import acting, system
from contacts_app.core.errors import Refusal
from phones_app.inventory.models import Phone
from phones_app.shared_files import services, store
from phones_app.shared_files.models import SharedFile
from tests.commands import run

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared-files"


@pytest.fixture
def told(monkeypatch):
    told: list[tuple[int | None, int | None, list[str]]] = []
    monkeypatch.setattr(services, "_listeners", [lambda *change: told.append((*change[:2], sorted(change[2])))])
    return told


@pytest.fixture
def phone(acme):
    return Phone.objects.create(account=acme, mac="001122334455", model="8851")


def content(text: str) -> store.StoredContent:
    return store.store([text.encode()])


def test_a_file_replaces_the_one_at_its_path_in_any_case_and_history_says_so(acme, told):
    with acting(system("test")):
        first = services.put("Ringlist.xml", content("<a/>"), account=acme, description="Rings")
        services.put("ringlist.XML", content("<b/>"), account=acme)
        services.put("ringlist.XML", content("<b/>"), account=acme)
    row = SharedFile.objects.get()
    assert (row.pk, row.path, row.kind, row.description) == (first.pk, "ringlist.XML", "ring-list", "Rings")
    assert row.sha256 == content("<b/>").sha256
    assert [one.history_type for one in row.history.all()] == ["~", "+"]
    assert told == [(acme.pk, None, ["Ringlist.xml"]), (acme.pk, None, ["Ringlist.xml", "ringlist.XML"])]
    assert services.remove(SharedFile.objects.all()) == 1
    assert told[-1] == (acme.pk, None, ["ringlist.XML"])
    assert SharedFile.history.first().history_type == "-"


def test_a_phone_is_given_its_own_file_before_its_accounts_and_that_before_everybodys(acme, other, phone):
    for text, owner in (
        ("all", {}),
        ("acme", {"account": acme}),
        ("phone", {"phone": phone}),
        ("other", {"account": other}),
    ):
        services.put("Ringlist.xml", content(text), **owner)

    def given(*to: object) -> int:
        rows = services.given_to(*to)
        chosen = services.nearest(rows)["ringlist.xml"]
        return len(rows), chosen.sha256

    assert given(phone, None) == (3, content("phone").sha256)
    assert given(None, acme) == (2, content("acme").sha256)
    assert given(None, other) == (2, content("other").sha256)
    assert given(None, None) == (1, content("all").sha256)


def test_a_set_is_put_in_place_as_a_whole_and_in_as_many_statements_as_one_file(acme, told):
    def put(number: int) -> int:
        files = [services.NewFile(f"f{one}.sbn", content("x"), acme) for one in range(number)]
        with CaptureQueriesContext(connection) as queries:
            services.put_many(files)
        return len(queries)

    few = put(2)
    SharedFile.objects.all().delete()
    assert put(40) == few
    told.clear()
    bad = [services.NewFile("good.sbn", content("y"), acme), services.NewFile("../bad.sbn", content("y"), acme)]
    with pytest.raises(Refusal) as refused:
        services.put_many(bad)
    assert (refused.value.code, told) == ("bad-path", [])
    assert not SharedFile.objects.filter(path="good.sbn").exists()


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/a",
        "a/",
        "a//b",
        "../a",
        "a/../b",
        ".a",
        "a/b/c/d",
        "a\\b",
        "a\n",
        "ä.raw",
        "x.PART",
        "x.bak/y",
        "SEP001122334455.cnf.xml",
    ],
)
def test_what_phones_are_never_given_is_no_path(path, acme):
    with pytest.raises(Refusal):
        services.put(path, content("x"), account=acme)


def test_a_file_for_a_phone_of_another_account_is_refused(other, phone):
    with pytest.raises(Refusal) as refused:
        services.put("a.xml", content("x"), account=other, phone=phone)
    assert refused.value.code == "phone-of-another-account"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("Ringlist-wb.xml", "ring-list"),
        ("RINGLIST.DAT", "ring-list"),
        ("Chime.raw", "ring-tone"),
        ("Desktops/320x212x12/List.xml", "background-list"),
        ("Desktops/320x212x12/Town.png", "background"),
        ("United_Kingdom/g3-tones.xml", "tones"),
        ("German_Germany/mk-sip.jar", "locale"),
        ("German_Germany/phone-dictionary.xml", "locale"),
        ("SIP42.9-4-2SR3-1S.loads", "firmware"),
        ("apps42.9-4-2ES26.sbn", "firmware"),
        ("APPS-1.4.6.3.SBN", "firmware"),
        ("DSP69xx.0-0-1-9.zz.sgn", "firmware"),
        ("P0S3-8-12-00.sb2", "firmware"),
        ("P003-8-12-00.bin", "firmware"),
        ("dialplan.xml", "dial-template"),
        ("softkeys.xml", "soft-keys"),
        ("featurePolicyDefault.xml", "feature-policy"),
        ("AppDialRules.xml", "other"),
        ("notes.txt", "other"),
    ],
)
def test_the_kind_of_a_file_is_known_by_its_path(path, kind):
    assert services.kind_of(path) == kind


@pytest.mark.parametrize(
    ("xml", "kind"),
    [
        ('<DIALTEMPLATE><TEMPLATE MATCH="."/></DIALTEMPLATE>', "dial-template"),
        ("<softKeyCfg/>", "soft-keys"),
        ("<featurePolicy><featureDef/></featurePolicy>", "feature-policy"),
        ("<CiscoIPPhoneRingList/>", "ring-list"),
        ("<CiscoIPPhoneImageList/>", "background-list"),
    ],
)
def test_the_kind_of_another_name_is_known_by_what_it_begins_with(acme, xml, kind):
    text = f'<?xml version="1.0"?>\n<!-- ours -->\n{xml}'
    assert services.put("germany.xml", content(text), account=acme).kind == kind


def test_an_account_has_a_limit_and_the_portal_has_none(acme, settings):
    settings.SHARED_FILES_ACCOUNT_MB = 1
    megabyte = store.store([b"x" * 1024**2])
    services.put("a.raw", megabyte, account=acme)
    with pytest.raises(Refusal) as refused:
        services.put("b.raw", content("x"), account=acme)
    assert refused.value.code == "account-full"
    assert not SharedFile.objects.filter(path="b.raw").exists()
    for path in ("a.raw", "b.raw"):
        services.put(path, megabyte)


def test_contents_without_a_row_are_deleted_with_old_rows(acme, settings):
    row = services.put("a.xml", content("kept"), account=acme)
    gone = content("gone").sha256
    for one in (row.sha256, gone):
        os.utime(store.place_of(one), (0, 0))
    young = content("young").sha256
    what = "unused contents of files"
    dry, ran = (
        {one["what"]: one["deleted"] for one in run("prune_history", "--json", *more).rows}
        for more in (("--dry-run",), ())
    )
    assert (dry[what], ran[what]) == (1, 1)
    assert [store.place_of(one).exists() for one in (row.sha256, gone, young)] == [True, False, True]


def test_a_file_that_somebody_else_has_just_deleted_is_not_changed(acme):
    row = services.put("Ringlist.xml", content("a"), account=acme)
    again = SharedFile.objects.get(pk=row.pk)
    assert services.remove([row]) == 1
    again.path = "Other.xml"
    with pytest.raises(Refusal, match="just been deleted"):
        services.change(again, ["path"])
    assert not SharedFile.objects.exists()
