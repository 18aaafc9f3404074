"""Numbers with their nouns, as people read them."""


def counted(number: int, noun: str) -> str:
    """Such as "1 phone" and "2,000 phones", for nouns that take an s."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
