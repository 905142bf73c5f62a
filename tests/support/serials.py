"""Serials that are the same in every run."""

import random

from meterai.kit.ids import decode, encode
from meterai.kit.serial import CHECK_MODULUS, Serial


def numbered(number: int) -> Serial:
    """A serial that is the same in every run.

    About one in a hundred QR codes on bad paper cannot be read, and the content decides which one.
    """
    body = encode(number, 8) + encode(7, 2) + encode(0, 2)
    body += encode(random.Random(number).getrandbits(40), 8)
    return Serial(body + encode(decode(body) % CHECK_MODULUS, 2))
