"""Attacks on bytes of the file: changed, moved, appended, truncated, wrapped."""

import re
from collections.abc import Callable

from tests.support.attacks.lab import Attack, Lab, altered, forged

RANGE = re.compile(rb"/ByteRange\[0 (\d+) (\d+) (\d+) *\]")


def ranges_of(document: bytes) -> tuple[int, int, int]:
    """Begin and end of the gap in the first seal's byte range, and the number of bytes after the gap."""
    found = RANGE.search(document)
    assert found is not None
    return int(found[1]), int(found[2]), int(found[3])


def _flipped(needle: bytes, offset: int = 0, bit: int = 1) -> Callable[[Lab], bytes]:
    def make(lab: Lab) -> bytes:
        spoilt = bytearray(lab.sealed)
        spoilt[lab.sealed.index(needle) + offset] ^= bit
        return bytes(spoilt)

    return make


def _second_range_moved(lab: Lab) -> bytes:
    """Signature wrapping (USF, SWA): the signed bytes move to the end of the file, and the gap grows."""
    gap_start, gap_end, rest = ranges_of(lab.sealed)
    signed = lab.sealed[gap_end : gap_end + rest]
    evil = b"\n3 0 obj\n<</Type/Font/Subtype/Type1/BaseFont/Courier>>\nendobj\n"
    moved = gap_end + len(evil)
    old = RANGE.search(lab.sealed)
    assert old is not None
    new = (b"/ByteRange[0 %d %d %d" % (gap_start, moved, rest)).ljust(len(old[0]) - 1) + b"]"
    shown = signed.replace(old[0], new)
    return lab.sealed[:gap_end] + evil + shown


def _wrapped(lab: Lab) -> bytes:
    """Signature wrapping that keeps the signed bytes behind the changed ones."""
    gap_start, gap_end, rest = ranges_of(lab.sealed)
    signed = lab.sealed[gap_end : gap_end + rest]
    document = lab.sealed[:gap_end] + signed.replace(b"P 2", b"P 3") + signed
    old = RANGE.search(lab.sealed)
    assert old is not None
    where = gap_end + rest
    new = (b"/ByteRange[0 %d %d %d" % (gap_start, where, rest)).ljust(len(old[0]) - 1) + b"]"
    return document[:gap_end] + document[gap_end : gap_end + rest].replace(old[0], new) + signed


def _range_starts_later(lab: Lab) -> bytes:
    return lab.sealed.replace(b"/ByteRange[0 ", b"/ByteRange[9 ")


def _negative_range(lab: Lab) -> bytes:
    return re.sub(rb"/ByteRange\[0 (\d+) \d", rb"/ByteRange[0 \1 -", lab.sealed)


def _three_ranges(lab: Lab) -> bytes:
    return re.sub(rb"(/ByteRange\[0 \d+ \d+ \d+)     ", rb"\1 9 9 ", lab.sealed)


def _gap_with(fill: Callable[[bytes], bytes]) -> Callable[[Lab], bytes]:
    """An attack that replaces the SignedData with other content of the same length."""

    def make(lab: Lab) -> bytes:
        start, end, _ = ranges_of(lab.sealed)
        container = lab.sealed[start + 1 : end - 1]
        filled = fill(container)
        assert len(filled) == len(container)
        return lab.sealed[: start + 1] + filled + lab.sealed[end - 1 :]

    return make


def _junk_in_gap(container: bytes) -> bytes:
    return container[:-40] + b"> /Extra (hidden) /More <" + b"0" * 15


def _spaces(container: bytes) -> bytes:
    return b"  " + container[2:]


def _container_of_other(lab: Lab) -> bytes:
    start, end, _ = ranges_of(lab.other)
    gap = lab.other[start:end]
    start, end, _ = ranges_of(lab.sealed)
    return lab.sealed[:start] + gap + lab.sealed[end:]


def _delta_on_another(lab: Lab) -> bytes:
    other = lab.other[: len(lab.original)]
    assert other != lab.original
    return other + lab.sealed[len(lab.original) :]


def _prefixed(lab: Lab) -> bytes:
    return b"%!\n" + lab.sealed


def _cut(lab: Lab) -> bytes:
    return lab.sealed[:-20]


CASES: dict[str, Attack] = {
    "byte-in-the-words": altered(_flipped(b"Surat"), "integrity"),
    "byte-in-the-picture": altered(_flipped(b"/Subtype/Form/BBox", 25), "integrity"),
    "byte-in-the-signature-value": forged(
        _gap_with(lambda c: c[: len(c.rstrip(b"0")) - 12] + b"0" * 12 + c[len(c.rstrip(b"0")) :]),
    ),
    "keys-in-the-gap": forged(_gap_with(_junk_in_gap), "issuer"),
    "spaces-in-the-gap": forged(_gap_with(_spaces), "issuer"),
    "blank-container": forged(_gap_with(lambda container: b"0" * len(container)), "issuer"),
    "seal-of-another-file": altered(_container_of_other, "integrity"),
    "delta-of-another-file": altered(_delta_on_another, "integrity"),
    "second-range-moved": Attack(_second_range_moved, "unreadable"),
    "signature-wrapped": altered(_wrapped),
    "range-not-from-the-first-byte": altered(_range_starts_later),
    "range-with-a-negative-number": altered(_negative_range),
    "range-of-six-numbers": altered(_three_ranges),
    "bytes-before-the-header": altered(_prefixed),
    "tail-cut-off": altered(_cut),
}
