"""Which layer's value counts, what a lock refuses, and what travels with a person (configuration spec §1.1)."""

import pytest

from profiles_app.phone.rendering.values import KINDS, Fragment, LayerOf, merge, merge_person


def layer(kind: str, *locks: str, **values: str) -> LayerOf:
    return LayerOf(kind, f"{kind} layer", f"key of {kind}", values, frozenset(locks))


def test_the_strongest_layer_counts_and_names_what_it_hides():
    layers = [layer(kind, ntp=kind) for kind in reversed(KINDS)]
    found = merge(layers)["ntp"]
    assert (found.value, found.layer, found.key) == ("phone", "phone layer", "key of phone")
    assert found.hides == tuple(f"{kind} layer" for kind in reversed(KINDS[:-1]))
    assert (found.locked, found.refused) == (False, ())


def test_a_lock_refuses_stronger_layers_and_says_where():
    found = merge(
        [layer("portal", ntp="a"), layer("account", "ntp", ntp="b"), layer("group", ntp="c"), layer("phone", ntp="d")]
    )
    ntp = found["ntp"]
    assert (ntp.value, ntp.layer, ntp.hides) == ("b", "account layer", ("portal layer",))
    assert (ntp.locked, ntp.locked_by) == (True, "account layer")
    assert ntp.refused == ("group layer", "phone layer")


def test_a_lock_without_a_value_keeps_the_weaker_one():
    found = merge([layer("portal", ntp="a"), layer("account", "ntp"), layer("phone", ntp="d", label="x")])
    assert (found["ntp"].value, found["ntp"].locked_by, found["ntp"].refused) == (
        "a",
        "account layer",
        ("phone layer",),
    )
    assert not found["label"].locked


def test_the_weakest_of_two_locks_counts():
    found = merge([layer("account", "ntp", ntp="a"), layer("location", "ntp", ntp="b")])
    assert (found["ntp"].value, found["ntp"].locked_by, found["ntp"].refused) == (
        "a",
        "account layer",
        ("location layer",),
    )


def test_a_secret_stays_one_in_stronger_layers_and_out_of_representations():
    weak = LayerOf("account", "account", values={"pin": "4711"}, secret=frozenset({"pin"}))
    found = merge([weak, layer("phone", pin="0815")])
    assert found["pin"].secret
    assert "0815" not in repr(found)
    assert "4711" not in repr(weak)


def test_an_unknown_kind_is_an_error():
    with pytest.raises(KeyError):
        merge([layer("building", ntp="a")])


def test_what_travels_comes_with_the_person():
    cut = Fragment("vendorConfig", "delete")
    device = [
        layer("account", "ring", locale="en", ring="1", ntp="a"),
        LayerOf("profile", "lobby", values={"locale": "de", "ntp": "b"}, fragments=(cut,)),
        LayerOf("phone", "phone", values={"locale": "fr", "load": "x"}, locks=frozenset({"locale"})),
    ]
    person = [
        layer("account", locale="no", ntp="no"),
        LayerOf("profile", "ann", values={"locale": "it", "ring": "2", "ntp": "c", "own": "d"}, fragments=(cut, cut)),
    ]
    layers = merge_person(device, person, {"locale", "ring"})
    found = merge(layers)
    assert {name: (one.value, one.layer) for name, one in found.items()} == {
        "locale": ("it", "ann"),
        "ring": ("1", "account layer"),
        "ntp": ("b", "lobby"),
        "load": ("x", "phone"),
    }
    assert found["ring"].refused == ("ann",)
    assert [fragment for one in layers for fragment in one.fragments] == [cut]
