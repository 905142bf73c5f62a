"""Whole numbers in texts that came from outside."""

DIGITS_MAX = 9  # of what counts things; every integer of the database has room for it


def at_most(count: int) -> int:
    """The least of 0, 1, 2, 5, 10, 20, 50, ... that is not below a count which changes by the second."""
    step = 1
    while step * 5 < count:
        step *= 10
    return 0 if count == 0 else next(step * by for by in (1, 2, 5) if step * by >= count)


def counted(text: str, digits_max: int = DIGITS_MAX) -> int | None:
    """The number, 0 or more, that this text is in digits of ASCII and nothing else; None for any other.

    `str.isdigit` alone takes a raised two and the digits of every script, and `int` gives up after some
    thousand: a stranger who types either would be a fault of ours.
    """
    if 1 <= len(text) <= digits_max and text.isascii() and text.isdigit():
        return int(text)
    return None
