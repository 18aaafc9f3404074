"""The device catalogue answers for models, loads and device types as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiles_app.phone.sep import catalogue


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("8845", "8845"),
        ("CP-8845", "8845"),
        ("Cisco 8845", "8845"),
        ("cisco cp-7962g", "7962"),
        ("CP7962G", "7962"),
        ("CP-8845-K9=", "8845"),
        ("Cisco Unified IP Phone 7975G", "7975"),
        ("IP Phone 7940", "7940"),
        ("7961G-GE", "7961GE"),
        ("CP-8851NR-K9", "8851NR"),
        ("ATA 186", "ATA186"),
        ("Cisco DX650", "DX650"),
        ("CP-DX80-K9", "DX80"),
        ("ATA191-K9", "ATA191"),
        ("SPA504G", "SPA504"),
        ("Cisco SPA 525G2", "SPA525"),
        ("CP-8841-3PCC-K9=", "8841-3PCC"),
        ("Cisco CKEM", "CKEM"),
        ("CIPC", "CIPC"),
        ("  ", ""),
    ],
)
def test_a_model_is_its_bare_number(text, model):
    assert catalogue.normalise_model(text) == model


@given(st.text())
def test_a_bare_number_stays_itself(text):
    model = catalogue.normalise_model(text)

    assert catalogue.normalise_model(model) == model


def test_every_model_is_found_under_its_own_name():
    for device in catalogue.all_models():
        assert catalogue.find(device.model) == device
        assert catalogue.find(f"CP-{device.model}") == device


def test_a_model_is_known_with_what_it_can_do():
    device = catalogue.find("Cisco 8865")

    assert device is not None
    assert device.protocols == {"SIP", "MPP"}
    assert device.loads == ("sip8845_65.",)
    assert device.max_calls == 200
    assert {(module.name, module.keys) for module in device.modules} == {("BEKEM", 36), ("CP-8800-Video", 28)}


@pytest.mark.parametrize("model", ["9999", "", "kettle"])
def test_an_unknown_model_is_none(model):
    assert catalogue.find(model) is None


@pytest.mark.parametrize(
    ("load", "software", "models"),
    [
        ("SIP42.9-4-2SR3-1S", "SIP", {"7942", "7962"}),
        ("SCCP42.9-4-2SR3-1S", "SCCP", {"7942", "7962"}),
        ("sip8845_65.12-5-1SR2-2", "SIP", {"8845", "8865", "8865NR"}),
        ("sip78xx.12-1-1-12", "SIP", {"7811", "7821", "7841", "7861"}),
        ("P0030801SR02", "SCCP", {"7940", "7960"}),
        ("P00405000700", "SCCP", {"7902", "7910", "7920", "7935", "7936", "7985"}),
        ("P0S3-8-12-00", "SIP", {"7940", "7960"}),
        ("CP7921G-1.4.6.3", "SCCP", {"7921"}),
        ("CP3905.9-4-1SR3", "SIP", {"3905"}),
        ("apps37sccp.1-4-4-0", "SCCP", {"7937"}),
        ("SIP6945.9-4-1-3", "SIP", set()),
        ("sip8832.12-0-1MPP0101", "MPP", {"8832", "8832NR"}),
        ("sip7832.11-3-1MSR3-1", "MPP", {"7832"}),
        ("term70.default", None, {"7970", "7971"}),
        ("term62.default", None, {"7942", "7962"}),
        ("ATA191.12-0-1", "SIP", {"ATA190", "ATA191"}),
        ("{$image_name}", None, set()),
        ("", None, set()),
    ],
)
def test_a_load_tells_its_software_and_its_models(load, software, models):
    assert catalogue.software_of_load(load) == software
    assert catalogue.models_of_load(load) == models


def test_every_load_belongs_to_the_models_that_list_it():
    for device in catalogue.all_models():
        for load in device.loads:
            assert device.model in catalogue.models_of_load(f"{load}9-4-2")


def test_a_7940_with_sip_reads_plain_text():
    assert [device.model for device in catalogue.all_models() if device.plain_text_sip] == ["7940", "7960"]


def test_devices_that_read_no_sep_file_say_what_they_read():
    for model in ("ATA186", "ATA192", "6821", "6871", "SPA504G", "CP-8865-3PCC", "ATA 188"):
        device = catalogue.find(model)
        assert device is not None
        assert device.instead, model
    for model in ("ATA187", "ATA191", "9841", "DX80", "8841", "7960", "7832"):
        device = catalogue.find(model)
        assert device is not None
        assert not device.instead, model


def test_a_module_is_found_by_its_name_and_by_its_number():
    for name in ("7915", "227", "228"):
        assert getattr(catalogue.find_module(name), "name", None) == "7915"
    assert getattr(catalogue.find_module(" cp-8800-audio"), "keys", None) == 28
    assert catalogue.find_module("7999") is None
