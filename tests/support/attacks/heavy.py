"""Files that are expensive to verify. None may exceed the budget of its request."""

import zlib
from collections.abc import Callable

from meterai.sealing import CHECKED_BYTES_MAX, DOCUMENT_BYTES_MAX, STAMPS_MAX, Placement
from meterai.sealing.checking.seals import RANGES_MAX, SEALS_MAX
from tests.support.attacks.lab import Lab
from tests.support.attacks.octets import RANGE
from tests.support.pdfmaker import Stream, letter, packed_stream, update, whole

_FILE_BYTES = 30 * 1024 * 1024
_SCAN = b"0 0 m 9 9 l S " * (18 * 1024 * 1024 // 14)  # a content stream that makes the file large


def _filled(piece: bytes, count: int) -> bytes:
    return whole({**letter(2), 90: Stream(b"", piece * count)})


def _false_ranges(_: Lab) -> bytes:
    piece = b">/ByteRange[0 11 12 13]"
    return _filled(piece, _FILE_BYTES // len(piece))


def _false_ranges_within_the_bound(_: Lab) -> bytes:
    piece = b">/ByteRange[0 11 12 13]".ljust(_FILE_BYTES // RANGES_MAX)
    return _filled(piece, RANGES_MAX - 1)


def _large_gaps(_: Lab) -> bytes:
    """As many gaps as the verifier examines, each of the largest size, filled with DER."""
    head = whole(letter(2))
    data = b""
    digits = (b"30840000ffff" + b"3000" * 32_760)[:131_072]
    for _gap in range(SEALS_MAX):
        at = len(head) + len(data)
        data += b"<%b>/ByteRange[0 %d %d 9]\n" % (digits, at, at + len(digits) + 2)
    return head + data


def replayed(lab: Lab, count: int = SEALS_MAX - 1, filling: int = 0) -> bytes:
    """One genuine seal, repeated `count` times, each with a byte range for its position."""
    found = RANGE.search(lab.sealed)
    assert found is not None
    start, stop = int(found[1]), int(found[2])
    gap, room = lab.sealed[start:stop], len(found[0]) - 1
    document = bytearray(lab.sealed)
    for _ in range(count):
        at = len(document)
        ranges = b"/ByteRange[0 %d %d 1000" % (at, at + len(gap))
        document += gap + ranges.ljust(room) + b"]" + bytes(1_000 + filling)
    return bytes(document)


def _true_seals(lab: Lab) -> bytes:
    """A large signed file that is sealed twice, each time with as many stamps as one request allows."""
    objects = letter(2)
    objects[7] = Stream(b"", _SCAN)
    document = lab.signed(whole(objects))
    for row in (20, 400):
        places = [
            Placement(1 + n % 2, 10 + 70 * (n // 2 % 8), row + 110 * (n // 16), 65)
            for n in range(STAMPS_MAX)
        ]
        document = lab.seal(document, *places)
    assert len(document) < DOCUMENT_BYTES_MAX
    return document


def _large(lab: Lab) -> bytes:
    objects = letter(2)
    objects[7] = Stream(b"", _SCAN)
    sealed = lab.sealed_of(objects)
    return sealed + bytes(CHECKED_BYTES_MAX - len(sealed))


def _many_signatures(lab: Lab) -> bytes:
    """Hundreds of signature fields, appended behind a seal."""
    count, value = 900, b"30820400" + b"3000" * 250
    refs = b" ".join(b"%d 0 R" % number for number in range(2_000, 2_000 + count))
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%b]>>>>" % refs,
        1_999: b"<</Type/Sig/Contents<%b>/ByteRange[0 1 99999999 3]>>" % value,
    } | dict.fromkeys(range(2_000, 2_000 + count), b"<</FT/Sig/T(S)/V 1999 0 R>>")
    return update(lab.sealed, objects)


def _brackets(lab: Lab) -> bytes:
    return update(lab.sealed, {1: b"<</Type/Catalog/Pages 2 0 R/AcroForm " + b"[" * 10_000_000})


def _brackets_alone(_: Lab) -> bytes:
    return whole({**letter(2), 1: b"<</Type/Catalog/Pages 2 0 R/AcroForm " + b"[<<" * 9_000_000})


def _bombs(_: Lab) -> bytes:
    """Object streams that each inflate to gigabytes."""
    bomb = zlib.compress(bytes(200_000_000), 9)
    packed = packed_stream({3: b"<<>>"})
    entries = packed.entries.replace(b"/N 1", b"/N 99")
    objects = letter(2) | {number: Stream(entries, bomb) for number in range(90, 110)}
    return whole(objects, style="stream", packed=[1, 2])


def _bombs_behind(lab: Lab) -> bytes:
    return lab.sealed + _bombs(lab)


def _zeros(_: Lab) -> bytes:
    return b"%PDF-1.7\n" + bytes(_FILE_BYTES)


HEAVY: dict[str, Callable[[Lab], bytes]] = {
    "false-ranges": _false_ranges,
    "false-ranges-within-the-bound": _false_ranges_within_the_bound,
    "large-gaps": _large_gaps,
    "replayed-seals": replayed,
    "replayed-seals-in-a-large-file": lambda lab: replayed(lab, filling=450_000),
    "true-seals-in-a-large-file": _true_seals,
    "large-file": _large,
    "many-signatures": _many_signatures,
    "brackets-behind-a-seal": _brackets,
    "brackets": _brackets_alone,
    "bombs": _bombs,
    "bombs-behind-a-seal": _bombs_behind,
    "zeros": _zeros,
}
