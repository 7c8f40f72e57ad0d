"""Roman numerals from 1 to 3999."""

_DIGITS = [
    (1000, "M"),
    (900, "CM"),
    (500, "D"),
    (400, "CD"),
    (100, "C"),
    (90, "XC"),
    (50, "L"),
    (40, "XL"),
    (10, "X"),
    (9, "IX"),
    (5, "V"),
    (4, "IV"),
    (1, "I"),
]


def to_roman(number: int) -> str:
    """Writes `number` in Roman numerals; a `ValueError` if there are none for it."""
    if not 1 <= number <= 3999:
        raise ValueError(f"{number} is not within 1 to 3999")
    text = ""
    for value, digits in _DIGITS:
        count, number = divmod(number, value)
        text += digits * count
    return text
