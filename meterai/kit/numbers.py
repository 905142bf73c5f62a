"""Whole numbers in texts from outside."""

DIGITS_MAX = 9  # of a count; every integer column of the database has room for it


def at_most(count: int) -> int:
    """Return the smallest of 0, 1, 2, 5, 10, 20, 50, ... that is at least a count, which changes every second."""
    step = 1
    while step * 5 < count:
        step *= 10
    return 0 if count == 0 else next(step * by for by in (1, 2, 5) if step * by >= count)


def counted(text: str, digits_max: int = DIGITS_MAX) -> int | None:
    """Return the number, 0 or more, that this text has in ASCII digits only; None for any other text.

    `str.isdigit` alone accepts a superscript two and the digits of every script, and `int` raises after some thousand
    digits: such input would cause a fault of ours.
    """
    if 1 <= len(text) <= digits_max and text.isascii() and text.isdigit():
        return int(text)
    return None
