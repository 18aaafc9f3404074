"""How a name sounds, for the list filter `sounds` (events spec §4.1): Soundex as databases compute it."""

from itertools import groupby

_CODES = {
    letter: code
    for code, letters in {"1": "BFPV", "2": "CGJKQSXZ", "3": "DT", "4": "L", "5": "MN", "6": "R"}.items()
    for letter in letters
}


def soundex(text: str) -> str:
    """The first letter and the codes of the others, of any length and at least four characters.

    Letters of the same code in a row count once; vowels, H and W are passed over.
    """
    letters = [letter for letter in text.upper() if "A" <= letter <= "Z"]
    if not letters:
        return ""
    consonants = [_CODES[letter] for letter in letters[1:] if letter in _CODES]
    first = _CODES.get(letters[0])
    codes = [code for code, _ in groupby(([first] if first else []) + consonants)]
    return (letters[0] + "".join(codes[1 if first else 0 :])).ljust(4, "0")
