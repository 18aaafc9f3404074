"""`/api/v1/settings`: the catalogue of settings over REST (configuration spec §4.2)."""

import pytest

from profiles_app.phone.rendering.settings import all_settings
from tests.phones_app.rest import Api, of

pytestmark = pytest.mark.django_db


@pytest.fixture
def api(alice) -> Api:
    return of(alice)


def names(answer):
    assert answer.status_code == 200, answer.content
    return {record["name"] for record in answer.json()["data"]}


def test_the_catalogue_is_listed_in_its_order(api):
    body = api.get("settings").json()
    assert [record["name"] for record in body["data"]] == [setting.name for setting in all_settings()]
    assert body["message"] == f"{len(all_settings())} setting(s) found"
    by_name = {record["name"]: record for record in body["data"]}
    assert by_name["call_managers"]["default"] is None
    assert by_name["ssh_password"]["secret"] is True
    assert by_name["web_access"]["choices"][0] == {"value": "on", "words": "on"}
    assert (by_name["timer_t1"]["lowest"], by_name["timer_t1"]["unit"]) == (100, "milliseconds")
    assert (by_name["ntp_servers"]["entries"], by_name["ntp_servers"]["most"]) == ("host", 3)


def test_a_model_and_a_software_narrow_it_down(api):
    assert {"line_mode", "kpml"} <= names(api.get("settings?model=CP-8845"))
    assert "line_mode" not in names(api.get("settings?model=7962"))
    sccp = names(api.get("settings?model=7962&software_type=SCCP"))
    assert "kpml" not in sccp
    assert {"sccp_port", "call_managers"} <= sccp
    assert "kpml" in names(api.get("settings?software_type=SIPE"))


def test_what_is_no_software_is_told(api):
    answer = api.get("settings?software_type=MGCP")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == "software_type"
