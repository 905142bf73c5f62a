"""Serials that are the same in every run."""

import random

from meterai.kit.ids import decode, encode
from meterai.kit.serial import CHECK_MODULUS, Serial


def numbered(number: int) -> Serial:
    """A serial that is the same in every run: of some hundred codes on bad paper one is not read, and
    which it is depends on all that is in it."""
    body = encode(number, 8) + encode(7, 2) + encode(0, 2)
    body += encode(random.Random(number).getrandbits(40), 8)
    return Serial(body + encode(decode(body) % CHECK_MODULUS, 2))
