"""How texts are split: 3GPP TS 23.038 and 23.040."""

import pytest

from profiles_app.messaging.sending.segments import gsm_text, segments


@pytest.mark.parametrize(
    ("text", "encoding", "lengths"),
    [
        ("", "gsm7", [0]),
        ("a" * 160, "gsm7", [160]),
        ("a" * 161, "gsm7", [153, 8]),
        ("a" * 918, "gsm7", [153] * 6),
        # Two septets each.
        ("€" * 80, "gsm7", [160]),
        ("€" * 81, "gsm7", [152, 10]),
        # The escape and what it escapes stay together.
        ("a" * 152 + "€" + "b" * 10, "gsm7", [152, 12]),
        ("ж" * 70, "ucs2", [140]),
        ("ж" * 71, "ucs2", [134, 8]),
        ("`", "ucs2", [2]),
        # Two units each, and 33 of them in a part of 67.
        ("☎" + "😀" * 35, "ucs2", [134, 8]),
    ],
)
def test_a_text_is_split_as_phones_put_it_together(text, encoding, lengths):
    split = segments(text)
    assert (split.encoding, [len(part) for part in split.parts]) == (encoding, lengths)
    if encoding == "ucs2":
        assert "".join(part.decode("utf-16-be") for part in split.parts) == text
    else:
        assert "".join(map(gsm_text, split.parts)) == text


def test_every_character_of_the_alphabet_comes_back():
    text = "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ ¤¡ÄÖÑÜ\xa7¿äöñüà^{}\\[~]|€\f"
    assert (segments(text).encoding, gsm_text(segments(text).parts[0])) == ("gsm7", text)
