"""QR code of a stamp, in alphanumeric mode (capitals, digits and `$%*+-./: `), error correction M, with a fixed mask.

The whole text is in capitals: in this mode a character takes 5.5 bits instead of 8, which makes the modules of a small stamp a
fifth larger.  Scheme and host of an address ignore case by definition; the server of the check address must ignore case in the
path too.

A QR code is drawn by adding pictures modulo 2.  For a fixed version, mask and length of the text, each module is the sum modulo
2 of a constant and of some bits of the text, because the error correction is linear.  So an `Encoder` stores a picture for each
value of each group of five or six bits of the text.  Sections and tables in the comments are those of ISO/IEC 18004:2015.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, reduce
from itertools import product
from operator import getitem, xor
from typing import NamedTuple

import segno

from meterai.kit.serial import LENGTH as SERIAL_CHARACTERS
from meterai.kit.serial import Serial

VERSION_MIN = 7  # smaller versions hold too few characters for a claim
# It has 49 modules a side, 57 with the quiet zone: 0.38 mm each on a stamp of minimal width (`model.WIDTH_MIN`).
VERSION_MAX = 8
QUIET_MODULES = 4  # white on every side (section 6.3.8)
MASK = 0  # lowest mean penalty (section 7.8.3) over typical texts; trying all masks takes too long
ADDRESS_CHARACTERS_MAX = 80  # serial included; a claim of 141 characters behind just fits version 8
ENCODERS_MAX = 4  # cached; one for each length of text; each takes 3 to 7 MB

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"  # table 5; the position is the value
_HIGH_BITS, _LOW_BITS = 5, 6  # a pair of characters has 11 bits (7.4.4), in two parts
_UNKNOWN = 0xFF  # marks a byte that is no character of the alphabet
_VALUES = bytes(
    ALPHABET.index(chr(code)) if chr(code) in ALPHABET else _UNKNOWN for code in range(256)
)


class _Blocks(NamedTuple):
    """Blocks of error correction M in one version (table 9), each with `checks` check codewords.

    First come `short` blocks of `data` data codewords each, then `long` blocks with one data codeword more.
    """

    checks: int
    short: int
    data: int
    long: int

    @property
    def lengths(self) -> list[int]:
        """Number of data codewords in each block."""
        return [self.data] * self.short + [self.data + 1] * self.long


_BLOCKS = {
    7: _Blocks(18, 4, 31, 0),
    8: _Blocks(22, 2, 38, 2),
    9: _Blocks(22, 3, 36, 2),
    10: _Blocks(26, 4, 43, 1),
    11: _Blocks(30, 1, 50, 4),
    12: _Blocks(22, 6, 36, 2),
}


@dataclass(frozen=True, slots=True)
class QrSymbol:
    """A QR code with `modules` modules on each side.

    `rows` has one bit for each module, 1 for dark, in rows from the upper left; each row is padded with zeros to whole
    bytes.
    """

    modules: int
    rows: bytes


class Encoder:
    """Encodes texts of one length (in characters) as QR codes of one version; making an encoder takes some 40 ms and 4 MB.

    All texts must begin with `prefix`, whose pictures are added in advance.  Raises `ValueError` if the version is not 7
    to 12, or does not hold so many characters.
    """

    def __init__(self, version: int, characters: int, prefix: str = "") -> None:
        if version not in _BLOCKS or not 0 < characters <= capacity(version):
            raise ValueError(f"version {version} does not hold {characters} characters")
        self.version = version
        self.characters = characters
        self.modules = 17 + 4 * version
        self._bytes = self.modules * _row_bytes(version)
        # The code of a text of zeros has only the constant parts: patterns, head, padding and mask.
        code = segno.make_qr(
            ALPHABET[0] * characters,
            error="m",
            version=version,
            mode="alphanumeric",
            mask=MASK,
            boost_error=False,
        )
        self._constant = _picture(bytes(row) for row in code.matrix)
        bits = _bit_pictures(version)
        for _ in range(_head_bits(version)):
            next(bits)
        widths = [_HIGH_BITS, _LOW_BITS] * (characters // 2) + [_LOW_BITS] * (characters % 2)
        parts = [_sums([next(bits) for _ in range(width)]) for width in widths]
        self._known = len(prefix) // 2 * 2  # characters of whole pairs, which have two parts each
        known = zip(parts, _values(prefix[: self._known]), strict=False)
        self._constant = reduce(xor, (part[value] for part, value in known), self._constant)
        self._parts = parts[self._known :]
        self._prefix = prefix

    def draw(self, text: str) -> QrSymbol:
        """Return the QR code of a text.  Raises `ValueError` for another length or prefix, or a forbidden character."""
        if len(text) != self.characters or not text.startswith(self._prefix):
            raise ValueError(f"not {self.characters} characters that begin {self._prefix!r}")
        values = _values(text[self._known :])
        picture = reduce(xor, map(getitem, self._parts, values), self._constant)
        return QrSymbol(self.modules, picture.to_bytes(self._bytes, "big"))


def _values(text: str) -> bytes:
    """Split a text into groups of bits, and return the value of each group as one byte.

    Each pair of characters makes two groups, and a last odd character makes one.
    """
    values = text.encode("ascii").translate(_VALUES)
    if _UNKNOWN in values:
        raise ValueError("a character that the code does not hold in 5.5 bits")
    pairs = len(values) // 2
    # All pairs are computed at once, in one number with 16 bits for each pair.
    both = int.from_bytes(values[: 2 * pairs], "big")
    each = int.from_bytes(b"\0\xff" * pairs, "big")
    written = 45 * (both >> 8 & each) + (both & each)
    low = int.from_bytes(b"\0\x3f" * pairs, "big")
    parts = (written & low) | (written & ~low) << 8 - _LOW_BITS
    return parts.to_bytes(2 * pairs, "big") + values[2 * pairs :]


def capacity(version: int) -> int:
    """Return the number of alphanumeric characters that a version holds at error correction M."""
    bits = 8 * sum(_BLOCKS[version].lengths) - _head_bits(version)
    pairs, rest = divmod(bits, _HIGH_BITS + _LOW_BITS)
    return 2 * pairs + (rest >= _LOW_BITS)


@lru_cache(ENCODERS_MAX)
def encoder_for(characters: int, prefix: str = "") -> Encoder:
    """Return an encoder, in the smallest version, for texts of this many characters that begin with the prefix.

    Raises `ValueError` for more than `CHARACTERS_MAX` characters.
    """
    if characters > CHARACTERS_MAX:
        raise ValueError(f"a code of ours holds at most {CHARACTERS_MAX} characters")
    versions = range(VERSION_MIN, VERSION_MAX + 1)
    return Encoder(next(v for v in versions if characters <= capacity(v)), characters, prefix)


def check_address(check_url: str, serial: Serial) -> str:
    """Return the address at which a serial can be checked, in capitals.

    Raises `ValueError` if the address has more than `ADDRESS_CHARACTERS_MAX` characters, or one that is not in `ALPHABET`.
    """
    return address_before_serial(check_url) + serial.text


@lru_cache(ENCODERS_MAX)
def address_before_serial(check_url: str) -> str:
    """Return the common prefix of all check addresses, in capitals; raises like `check_address`."""
    address = f"{check_url.rstrip('/')}/".upper()
    if len(address) + SERIAL_CHARACTERS > ADDRESS_CHARACTERS_MAX:
        raise ValueError(f"a check address has at most {ADDRESS_CHARACTERS_MAX} characters")
    if not set(address) <= set(ALPHABET):
        raise ValueError("a check address has a character that the code does not hold")
    return address


def _head_bits(version: int) -> int:
    """Return the length of the head in bits: mode and count of characters (table 3)."""
    return 4 + (9 if version <= 9 else 11)


def _row_bytes(version: int) -> int:
    return (17 + 4 * version + 7) // 8


def _picture(rows: Iterator[bytes]) -> int:
    """Encode rows of modules as a picture: one number, whose bytes are `QrSymbol.rows`."""
    digits = "".join(
        row.translate(_DIGITS).decode("ascii").ljust((len(row) + 7) // 8 * 8, "0") for row in rows
    )
    return int(digits, 2)


def _sums(pictures: list[int]) -> list[int]:
    """Return, for each value of a group of bits, the sum modulo 2 of the pictures of the bits that are set in the value.

    The first picture is that of the highest bit.
    """
    sums = [0]
    for picture in pictures:
        sums = [total ^ part for total in sums for part in (0, picture)]
    return sums


def _bit_pictures(version: int) -> Iterator[int]:
    """Yield a picture for each data bit, in order.

    The picture has the module of the bit, and the modules of the check bits that change with it.
    """
    blocks = _BLOCKS[version]
    lengths = blocks.lengths
    modules = _data_modules(version)
    codewords = [modules[start : start + 8] for start in range(0, len(modules) - 7, 8)]
    remainders = _remainders(blocks.checks, blocks.data + 1)
    for block, length in enumerate(lengths):
        # Section 7.6: the codewords of the blocks are interleaved, first their data, then their checks.
        checks = codewords[sum(lengths) + block :: len(lengths)]
        for number in range(length):
            at = block - blocks.short if number == blocks.data else block
            own = codewords[number * len(lengths) + at]
            remainder = remainders[length - 1 - number]
            pictures = []
            for data_module in reversed(own):
                pictures.append(
                    sum(
                        module
                        for value, check in zip(remainder, checks, strict=True)
                        for bit, module in enumerate(check)
                        if value << bit & 0x80
                    )
                    | data_module
                )
                remainder = [_double(value) for value in remainder]
            yield from reversed(pictures)


def _data_modules(version: int) -> list[int]:
    """Return the modules for data, each as a picture, in the order in which they are filled (section 7.7.3).

    The order is up and down in pairs of columns from the right, without the column of the timing pattern.
    """
    size, row_bits = 17 + 4 * version, 8 * _row_bytes(version)
    columns = [*range(size - 1, 6, -2), *range(5, 0, -2)]
    places = []
    for number, right in enumerate(columns):
        rows = range(size) if number % 2 else range(size - 1, -1, -1)
        places += [
            1 << row_bits * (size - row) - 1 - column
            for row in rows
            for column in (right, right - 1)
            if not _is_pattern(row, column, size)
        ]
    return places


def _is_pattern(row: int, column: int, size: int) -> bool:
    """True for a module of a fixed pattern, which never holds data (sections 6.3.3 to 6.3.6, 7.9 and 7.10, annex E)."""
    near, far = 9, size - 8  # the finder patterns with their separators, and the format
    if ((row < near or row >= far) and column < near) or (row < near and column >= far):
        return True
    if 6 in (row, column):  # timing
        return True
    if (row < 6 and column >= size - 11) or (column < 6 and row >= size - 11):  # version
        return True
    # In versions 7 to 13 the alignment patterns are in three rows and three columns, but not in
    # the corners of the finder patterns.
    middle, last = (size - 1) // 2, size - 7
    centres = [(6, middle), (middle, 6), *product((middle, last), repeat=2)]
    return any(abs(row - down) <= 2 and abs(column - right) <= 2 for down, right in centres)


def _remainders(degree: int, count: int) -> list[list[int]]:
    """Return the `count` remainders of x^degree, x^(degree + 1), ... modulo the generator polynomial (section 7.5.2).

    The coefficients of each remainder are in order, the highest first.
    """
    generator, root = [1], 1
    for _ in range(degree):
        shifted = [_product(coefficient, root) for coefficient in generator]
        generator = list(map(xor, [*generator, 0], [0, *shifted]))
        root = _double(root)
    tail = generator[1:]
    remainders = [tail]
    for _ in range(count - 1):
        head, *rest = remainders[-1]
        remainders.append(
            [value ^ _product(head, c) for value, c in zip([*rest, 0], tail, strict=True)]
        )
    return remainders


def _double(value: int) -> int:
    """Return the product of x and an element of GF(256), modulo x^8 + x^4 + x^3 + x^2 + 1."""
    return value << 1 ^ (0x11D if value & 0x80 else 0)


def _product(one: int, other: int) -> int:
    total = 0
    while other:
        total ^= one if other & 1 else 0
        one, other = _double(one), other >> 1
    return total


_DIGITS = bytes.maketrans(b"\0\1", b"01")
CHARACTERS_MAX = capacity(VERSION_MAX)
