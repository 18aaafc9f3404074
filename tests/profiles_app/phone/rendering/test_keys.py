"""Where the keys of a layout stand on a phone, and what is said of those that do not (configuration spec §4.3)."""

from dataclasses import replace

import pytest

from profiles_app.phone.rendering.keys import UnfitLine, all_kinds, arrange, find_kind, kinds_for, places_of
from profiles_app.phone.rendering.series import all_series
from profiles_app.phone.rendering.values import DeviceOf, KeyOf, LineOf

# The features of Cisco phones, and the series that know them.
OF_79XX = {"1", "3", "4", "5", "18", "102", "132", "133", "134", "137", "141"}
OF_NEWER = {"140", "142"}
OF_7931 = {"192", "194", "195", "197", "198"}
OF_ALL = {"2", "9", "20", "21", "22", "23", "27", "123", "126", "127", "128", "130", "135", "139", "159"}
ONE, TWO, THREE = (LineOf(str(number), display_name=name) for number, name in ((201, "Ann"), (202, "Bo"), (203, "Cy")))


def phone(model, *modules, software="SIP"):
    return DeviceOf("00005E005301", model, software, modules=modules)


def board(arranged):
    return {key.button: (key.kind, key.line.extension if key.line else key.target) for key in arranged.keys}


def test_every_feature_is_offered_where_it_is_known():
    assert len(all_kinds()) == len(OF_79XX | OF_NEWER | OF_7931 | OF_ALL)
    features = {
        model: {kind.feature for kind in kinds_for(model)} for model in ("7962", "7931", "8841", "9971", "8945")
    }
    assert features == {
        "7962": OF_ALL | OF_79XX,
        "7931": OF_ALL | OF_79XX | OF_7931,
        "8841": OF_ALL | OF_NEWER,
        "9971": OF_ALL | OF_NEWER,
        "8945": OF_ALL,
    }
    assert all(kind.series <= set(all_series()) for kind in all_kinds())


def test_lines_without_a_layout_stand_on_the_first_keys():
    assert board(arrange(phone("8841"), [ONE, TWO], [])) == {1: ("line", "201"), 2: ("line", "202")}


def test_lines_that_a_layout_forgets_take_the_free_keys():
    keys = [KeyOf(0, 1, "speed-dial", target="0"), KeyOf(0, 3, "line", 2)]
    arranged = arrange(phone("7965"), [ONE, TWO, THREE], keys)
    assert board(arranged) == {1: ("speed-dial", "0"), 2: ("line", "201"), 3: ("line", "202"), 4: ("line", "203")}
    assert arranged.remarks == ()


def test_a_line_without_a_free_key_is_told():
    arranged = arrange(phone("7942"), [ONE, TWO, THREE], [])
    assert board(arranged) == {1: ("line", "201"), 2: ("line", "202")}
    assert arranged.remarks == ("line 3 (203) is left out: the phone has no free key",)


def test_the_first_line_is_never_left_out():
    arranged = arrange(phone("7811"), [ONE, TWO], [KeyOf(0, 1, "speed-dial", target="0", label="Desk")])
    assert board(arranged) == {1: ("line", "201")}
    assert arranged.remarks == (
        "key 1 (Desk) stays empty: without its first line the phone could not register",
        "line 2 (202) is left out: the phone has no free key",
    )
    assert (0, 1) in arranged.empty


@pytest.mark.parametrize(
    ("key", "reason"),
    [
        (KeyOf(0, 2, "redial"), "the 8841 knows no key “Redial”"),
        (KeyOf(0, 11, "blf", target="1"), "the phone has no such key"),
        (KeyOf(1, 1, "blf", target="1"), "the phone has no such key"),
        (KeyOf(0, 0, "blf", target="1"), "the phone has no such key"),
        (KeyOf(0, 2, "line", 7), "the phone has no line 7"),
        (KeyOf(0, 2, "line", 1), "line 1 has a key already"),
        (KeyOf(0, 2, "intercom", 1), "an intercom needs another line than the first"),
        (KeyOf(0, 2, "speed-dial", target=" "), "it has no number to call"),
        (KeyOf(0, 2, "service", target="x" * 256), "it has no address of 255 characters at most"),
        (KeyOf(0, 1, "blf", target="1"), "the key is given twice"),
        (KeyOf(0, 2, "teleport"), "nothing is known of the kind teleport"),
    ],
)
def test_what_a_phone_cannot_have_stays_empty_and_is_told(key, reason):
    arranged = arrange(phone("8841"), [ONE], [KeyOf(0, 1, "line", 1), replace(key, label="Spa")])
    assert board(arranged) == {1: ("line", "201")}
    [remark] = arranged.remarks
    where = f"key {key.position} of module {key.module}" if key.module else f"key {key.position}"
    assert remark == f"{where} (Spa) stays empty: {reason}"
    assert arranged.empty == {(key.module, key.position): reason}


def test_keys_of_modules_follow_those_of_the_phone():
    keys = [KeyOf(1, 1, "blf", target="1"), KeyOf(2, 36, "blf", target="2"), KeyOf(3, 1, "blf", target="3")]
    arranged = arrange(phone("8851", "BEKEM", "CP-8800-Audio", "CKEM", "36049"), [ONE], keys)
    assert [(module.index, module.name, module.keys) for module in arranged.modules] == [
        (1, "BEKEM", 36),
        (2, "BEKEM", 36),
    ]
    assert board(arranged) == {1: ("line", "201"), 11: ("blf", "1"), 82: ("blf", "2")}
    assert len(arranged.remarks) == 3
    assert len(places_of("8851", ("BEKEM", "BEKEM"))) == 10 + 72
    assert places_of("8851", ("BEKEM",))[10] == (1, 1)


def test_a_phone_that_is_not_known_has_every_key():
    arranged = arrange(phone("9999"), [ONE], [KeyOf(0, 40, "redial"), KeyOf(1, 1, "redial")])
    assert board(arranged) == {1: ("line", "201"), 40: ("redial", "")}
    assert places_of("9999") == ()


def test_calls_of_a_line_are_no_more_than_the_model_takes():
    lines = [ONE, replace(TWO, max_calls=500, busy_trigger=3), replace(THREE, max_calls=2, busy_trigger=9)]
    arranged = arrange(phone("7841"), lines, [], {"max_calls": "100", "busy_trigger": "60"})
    assert [(key.max_calls, key.busy_trigger) for key in arranged.keys] == [("24", "24"), ("24", "3"), ("2", "2")]
    assert [key.max_calls for key in arrange(phone("7841"), [ONE], []).keys] == [""]


def test_labels_are_the_keys_own_else_the_lines_else_the_numbers():
    lines = [replace(ONE, label="Desk"), TWO]
    keys = [KeyOf(0, 1, "line", 1), KeyOf(0, 2, "line", 2, label="Bar"), KeyOf(0, 3, "blf", target="203")]
    assert [key.label for key in arrange(phone("8841"), lines, keys).keys] == ["Desk", "Bar", "203"]


def test_an_option_that_is_none_is_not_taken():
    said = [{"pickup": "on"}, {"pickup": "perhaps"}, {}]
    keys = [KeyOf(0, number, "blf", target="1", options=options) for number, options in enumerate(said, 2)]
    arranged = arrange(phone("8841"), [ONE], keys)
    assert [key.options["pickup"] for key in arranged.keys if key.kind == "blf"] == ["on", "off", "off"]
    assert find_kind("speed-dial").options[0].takes("99")
    assert not find_kind("speed-dial").options[0].takes("100")


def test_lines_and_keys_of_sccp_come_from_the_pbx():
    arranged = arrange(phone("7962", software="SCCP"), [ONE], [KeyOf(0, 99, "teleport")])
    assert (arranged.keys, arranged.remarks, arranged.lines[0].name) == ((), (), "201")


def test_a_password_that_does_not_fit_is_an_error_without_the_password():
    with pytest.raises(UnfitLine) as refused:
        arrange(phone("8841"), [replace(ONE, auth_password="secret-" * 9)], [])
    assert "secret-" not in str(refused.value)
