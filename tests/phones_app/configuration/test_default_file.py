"""XMLDefault.cnf.xml: phones without a file get their load and a call manager, and nothing of any account."""

from datetime import timedelta
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from contacts_app.core.memory import forget_everything
from contacts_app.tokens.services import create_token
from phones_app.boot.server import EmbeddedFileServer
from phones_app.configuration.models import Layer
from phones_app.servers.models import CallManager
from profiles_app.phone.sep import catalogue
from profiles_app.phone.sep.default_file import DefaultFile, build, numbers
from tests.phones_app.boot.asking import ask, ask_tftp, put
from tests.phones_app.rest import Api
from tests.phones_app.simulator.conftest import PASSWORD, USERNAME

pytestmark = pytest.mark.django_db(transaction=True)
Kind = Layer.Kind
AT = "127.0.0.7"
LOAD_7912 = "CP7912080004SCCP080108A"


@pytest.fixture
def server(tmp_path, settings):
    settings.PHONE_FILES_DIR = tmp_path / "files"
    settings.PHONE_FILES_DIR.mkdir()
    with EmbeddedFileServer(
        settings.PHONE_FILES_DIR, ftp_port=0, http_port=0, tftp_port=0, username=USERNAME, password=PASSWORD
    ) as server:
        yield server


@pytest.fixture
def layers(acme):
    values = {"call_managers": "192.0.2.1, 192.0.2.2", "sccp_port": "2001", "load": "sip88xx.14-2-1-0101-22"}
    Layer.objects.create(kind=Kind.PORTAL, values=values)
    Layer.objects.create(kind=Kind.MODEL, name="7912", values={"load": LOAD_7912})
    Layer.objects.create(kind=Kind.FAMILY, name="7942 7962", values={"load": "SIP42.9-4-2SR3-1S"})
    Layer.objects.create(kind=Kind.MODEL, name="7962", values={"load": "SCCP42.9-4-2SR3-1S"})
    # Of an account is nothing in it.
    Layer.objects.create(kind=Kind.MODEL, name="7975", account=acme, values={"load": "SIP75.9-4-2SR3-1S"})
    Layer.objects.create(kind=Kind.ACCOUNT, account=acme, values={"call_managers": "198.51.100.1"})


@pytest.mark.parametrize("fetch", [ask, ask_tftp], ids=["http", "tftp"])
def test_an_unknown_7912_gets_its_load_and_a_call_manager(fetch, server, layers):
    assert fetch(server, "SEP02000000A912.cnf.xml", AT) is None
    content = fetch(server, "XMLDefault.cnf.xml", AT)
    assert fetch(server, "xmlDefault.CNF.XML", AT) == content, "as some firmware spells it"
    root = ElementTree.fromstring(content)
    assert root.tag == "Default"
    assert root.findtext("loadInformation30007") == LOAD_7912
    assert [one.text for one in root.iter("processNodeName")] == ["192.0.2.1", "192.0.2.2"]
    assert root.find(".//ports/ethernetPhonePort").text == "2001"
    assert root.find("loadInformation434").text == "SIP42.9-4-2SR3-1S"
    assert root.find("loadInformation404").text == "SCCP42.9-4-2SR3-1S"
    assert root.findtext("authenticationURL").endswith("/cisco/services/authenticate")
    # The portal's load is for some models, and that of an account for nobody who is not known.
    loads = {one.tag for one in root if one.tag.startswith("loadInformation")}
    of_88xx = {f"loadInformation{numbers()[model]}" for model in ("8811", "8841", "8851", "8851NR", "8861")}
    assert loads == of_88xx | {"loadInformation30007", "loadInformation434", "loadInformation404"}


def test_expansion_modules_get_their_load_under_each_of_their_numbers(server, layers):
    Layer.objects.create(kind=Kind.FAMILY, name="7945 7965", values={"module_load": "B016-1-0-4SR1"})
    Layer.objects.create(kind=Kind.MODEL, name="7975", values={"module_load": "B015-1-0-4"})
    Layer.objects.create(kind=Kind.MODEL, name="7960", values={"module_load": "S00105000400"})
    root = ElementTree.fromstring(ask(server, "XMLDefault.cnf.xml", AT))
    named = {one.tag.removeprefix("loadInformation"): one.text for one in root if "Addon" in one.get("model", "")}
    of_7915, of_7916 = dict.fromkeys(("227", "228"), "B015-1-0-4"), dict.fromkeys(("229", "230"), "B016-1-0-4SR1")
    assert named == {"124": "S00105000400"} | of_7915 | of_7916


def test_what_is_stored_under_its_name_comes_first(server, layers, settings):
    settings.ENROLMENT_NETWORKS = "127.0.0.0/8"
    for name in ("XMLDefault.cnf.xml", "xmlDefault.CNF.XML"):
        assert b"/cisco/services/enrol" in ask(server, name, AT)
    settings.ENROLMENT_NETWORKS = "10.0.0.0/8"
    assert LOAD_7912.encode() in ask(server, "XMLDefault.cnf.xml", AT)
    (server.root / "XMLDefault.cnf.xml").write_bytes(b"<Default/>")
    assert ask(server, "xmldefault.cnf.xml", AT) == b"<Default/>"


def test_a_portal_that_says_nothing_makes_no_file_until_a_call_manager_is_shared(server, acme):
    CallManager.objects.create(name="Ours", host="198.51.100.1", port=5060, kind="sip", account=acme)
    assert ask(server, "XMLDefault.cnf.xml", AT) is None
    CallManager.objects.create(name="Shared", host="192.0.2.9", port=5060, kind="sip")
    forget_everything()
    content = ask(server, "XMLDefault.cnf.xml", AT)
    assert b"<processNodeName>192.0.2.9</processNodeName>" in content
    assert b"<sipPort>5060</sipPort>" in content


def test_the_page_says_where_each_line_comes_from(root_desk, layers, settings, tmp_path):
    settings.SHARED_FILES_DIR = tmp_path / "shared"
    assert "XMLDefault" in root_desk.get("/admin/phones_app/layer/").content.decode()
    Layer.objects.create(kind=Kind.MODEL, name="9841", values={"load": "PHONEOS.1-1"})
    put("xmldefault.cnf.xml", b"<Default/>")
    page = root_desk.get("/admin/phones_app/layer/default-file/").content.decode()
    for text in ("Load of 7912", LOAD_7912, "model 7912", "192.0.2.2", "model family 7942 7962"):
        assert text in page
    assert "cannot name the loads of 9841" in page
    assert "A shared file XMLDefault.cnf.xml is given instead" in page
    data = Api(create_token(expires_at=timezone.now() + timedelta(days=1))[1]).get("default-file").json()["data"]
    assert {"what": "Load of 7912", "value": LOAD_7912, "source": "model 7912"} in data["lines"]
    assert LOAD_7912 in data["content"]


def test_numbers_are_those_of_models_and_with_all_of_them_the_file_stays_short():
    known = {model.model for model in catalogue.all_models()}
    assert numbers().keys() <= known
    assert len(set(numbers().values())) == len(numbers())
    longest = dict.fromkeys(numbers(), "sip8845_65.14-2-1-0101-22")
    modules = dict.fromkeys(("7914", "7915", "7916"), "B016-1-0-4SR1")
    urls = {
        f"servicesURL{number}": "http://portal.example/cisco/services/dir?device=#DEVICENAME#" for number in range(7)
    }
    hosts = ["pbx.example"] * 5
    assert len(build(DefaultFile(hosts, {"sipPort": "5060"}, urls, loads=longest, module_loads=modules))) < 8192
    assert b"<processNodeName>a&lt;b</processNodeName>" in build(DefaultFile(["a<b"]))
