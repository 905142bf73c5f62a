"""Search for our seals by their bytes.  The form fields of a document are not read, since they may lead to other
bytes.

The gap of a seal is the value of /Contents, the only bytes that the signature does not cover.  In our layout the byte range
follows directly behind the gap.  The numbers of the byte range state the position of the gap; a seal is in place only if that
is its actual position.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from meterai.sealing.model import STAMPS_MAX, TooManySeals
from meterai.sealing.signing import cms, trust
from meterai.sealing.writing.engine import HashState

SEALS_MAX = 64  # of ours in one file; one stamping of a signed document adds up to 20
RANGES_MAX = 10_000  # byte ranges of any signatures that are read in one file
GAP_BYTES_MAX = 2 * 65_536 + 2  # of the hexadecimal value with its angle brackets
REST_BYTES_MAX = 1024 * 1024  # of dictionary and cross-reference behind the gap; some 10 KB
_MOVED_MAX = 64  # up to so many bytes may be inserted or removed before a seal that is still found

BYTE_RANGE = b">/ByteRange[0 "  # beginning of a seal's byte range, directly behind its gap
_NUMBERS = re.compile(rb"(\d{1,10}) (\d{1,10}) (\d{1,10}) *\]")
_ORIGINAL_LENGTH = re.compile(rb"/OriginalLength (\d{1,10})/")


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature by one of our keys, found in a file; the file may have been changed since it was sealed.

    All positions are offsets in bytes.  The gap (the value of /Contents) is from `start` to `stop`, and the covered
    bytes end at `end`; `is_in_place` is false if the byte range states another position of the gap.  `contents` is the
    SignedData with its padding.  `original_length` is the length of the original in bytes, read from the record behind
    the gap; 0 if it is not found.
    """

    start: int
    stop: int
    end: int
    is_in_place: bool
    contents: bytes = field(repr=False)
    signed_data: cms.SignedData = field(repr=False)
    path: trust.Path = field(repr=False)
    original_length: int


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256 of the file before the stamping, and of the covered bytes.

    `sealed` is the hash state over all bytes of the file up to the end of the covered ones.
    """

    original: bytes
    covered: bytes
    sealed: HashState


def check_room(file: bytes) -> None:
    """Refuse with `TooManySeals` a file that would exceed the limits of seals and byte ranges after one more stamping."""
    looked = file.count(BYTE_RANGE) + STAMPS_MAX
    gaps = sum(1 for _ in _gaps(file, 0)) + STAMPS_MAX
    if looked > RANGES_MAX or gaps > SEALS_MAX:
        raise TooManySeals(
            f"too many signatures: {looked} byte ranges, {gaps} as ours, with those of a stamping"
        )


def seals_in(file: bytes, sealers: trust.Sealers, *, behind: int = 0) -> list[Seal]:
    """Return our seals behind the first `behind` bytes, in file order.  Refuses with `TooManySeals`."""
    found = []
    for start, stop, ranges in _gaps(file, behind):
        seal = _read(file, start, stop, ranges, sealers)
        if seal is not None:
            found.append(seal)
    return found


def _gaps(file: bytes, behind: int) -> Iterator[tuple[int, int, tuple[int, int, int]]]:
    looked = gaps = 0
    at = file.find(BYTE_RANGE, behind)
    while at >= 0:
        looked += 1
        numbers = _NUMBERS.match(file, at + len(BYTE_RANGE))
        if numbers is not None:
            first, second, rest = map(int, numbers.groups())
            stop, start = at + 1, at + 1 - (second - first)
            is_gap = 2 < second - first <= GAP_BYTES_MAX and abs(second - stop) <= _MOVED_MAX
            if is_gap and start >= 0 and file.startswith(b"<", start):
                gaps += 1
                yield start, stop, (first, second, rest)
        if looked > RANGES_MAX or gaps > SEALS_MAX:
            raise TooManySeals(f"too many signatures: {looked} byte ranges, {gaps} as ours")
        at = file.find(BYTE_RANGE, at + 1)


def _read(
    file: bytes, start: int, stop: int, ranges: tuple[int, int, int], sealers: trust.Sealers
) -> Seal | None:
    try:
        contents = bytes.fromhex(file[start + 1 : stop - 1].decode("ascii"))
        signed_data = cms.read_own(contents)
    except (ValueError, cms.SignedDataUnreadable):
        return None
    # The path is searched before the signature is checked: a key without a trusted root is never used.
    path = trust.path_to_root(signed_data, sealers)
    if path is None or not signed_data.signature_holds:
        return None
    first, second, rest = ranges
    is_in_place = (first, second) == (start, stop) and 0 < rest <= REST_BYTES_MAX
    stated = _ORIGINAL_LENGTH.search(file, stop, stop + min(rest, REST_BYTES_MAX))
    original_length = int(stated[1]) if stated is not None else 0
    return Seal(start, stop, stop + rest, is_in_place, contents, signed_data, path, original_length)


def digests_of(
    file: bytes, seals: Sequence[Seal], known: tuple[HashState, int] | None = None
) -> list[Digests | None]:
    """Return the digests for each seal, in one pass over the file.

    The item is `None` for a seal that is not in place or whose covered bytes are not all in the file.

    `known` is a SHA-256 state and the number of bytes at the beginning of the file that it covers; these are not hashed again.
    """
    state, at = known if known is not None else (hashlib.sha256(), 0)
    state = state.copy()
    whole = [one.is_in_place and one.end <= len(file) for one in seals]
    points: dict[int, HashState] = {at: state.copy()}
    for seal, is_whole in zip(seals, whole, strict=True):
        if is_whole:
            for point in (_original_end(seal), seal.start, seal.end):
                points.setdefault(point, state)
    view = memoryview(file)
    for point in sorted(one for one in points if one > at):
        state.update(view[at:point])
        points[point], at = state.copy(), point
    found: list[Digests | None] = []
    for seal, is_whole in zip(seals, whole, strict=True):
        if not is_whole:
            found.append(None)
            continue
        covered = points[seal.start].copy()
        covered.update(view[seal.stop : seal.end])
        original = points[_original_end(seal)].digest()
        found.append(Digests(original, covered.digest(), points[seal.end]))
    return found


def _original_end(seal: Seal) -> int:
    return min(seal.original_length, seal.start)
