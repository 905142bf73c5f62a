"""Whole numbers in texts received from outside."""

DIGITS_MAX = 9  # of a count; every integer column of the database can hold so many


def at_most(count: int) -> int:
    """Round a count up to the next of 0, 1, 2, 5, 10, 20, 50, ..., so that a shown number does not change every second."""
    step = 1
    while step * 5 < count:
        step *= 10
    return 0 if count == 0 else next(step * by for by in (1, 2, 5) if step * by >= count)


def counted(text: str, digits_max: int = DIGITS_MAX) -> int | None:
    """Return the number if the text consists only of ASCII digits (at most `digits_max`); None for any other text.

    `str.isdigit` alone accepts a superscript two and the digits of every script, and `int` raises after some thousand
    digits: such input would cause an internal error.
    """
    if 1 <= len(text) <= digits_max and text.isascii() and text.isdigit():
        return int(text)
    return None
