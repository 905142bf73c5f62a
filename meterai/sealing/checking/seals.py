"""Seals of ours in a file, found by their bytes: a form may lead to another place, the bytes cannot.

A seal has one layout: its byte range is directly behind the gap that it leaves out.  So
the numbers of a byte range tell which gap is meant, and if it is there.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from meterai.sealing.model import STAMPS_MAX, TooManySeals
from meterai.sealing.signing import cms, trust
from meterai.sealing.writing.engine import HashState

SEALS_MAX = 64  # of ours in one file; a document that others signed gets up to 20 at a time
RANGES_MAX = 10_000  # byte ranges of any signature that are read
GAP_BYTES_MAX = 2 * 65_536 + 2  # hexadecimal, with its angle brackets
REST_BYTES_MAX = 1024 * 1024  # covered behind the gap: dictionary and cross-reference, some 10 KB
_MOVED_MAX = 64  # bytes inserted or removed before a seal that is still found

BYTE_RANGE = b">/ByteRange[0 "  # beginning of a seal's byte range, directly behind its gap
_NUMBERS = re.compile(rb"(\d{1,10}) (\d{1,10}) (\d{1,10}) *\]")
_ORIGINAL_LENGTH = re.compile(rb"/OriginalLength (\d{1,10})/")


@dataclass(frozen=True, slots=True)
class Seal:
    """A signature by a key of ours at any place; the covered bytes may differ from the sealed ones.

    The gap is from `start` to `stop`, the covered bytes end at `end`; `is_in_place` is false if the
    byte range names another place.  `contents` is the SignedData with its padding.
    `original_length` is stated in the record behind the gap, 0 if it cannot be found.
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
    """SHA-256 of the file before the stamping, of the covered bytes, and the state at their end."""

    original: bytes
    covered: bytes
    sealed: HashState


def check_room(file: bytes) -> None:
    """Refuse with `TooManySeals` a file in which the seals of one more stamping could not be found."""
    looked = file.count(BYTE_RANGE) + STAMPS_MAX
    gaps = sum(1 for _ in _gaps(file, 0)) + STAMPS_MAX
    if looked > RANGES_MAX or gaps > SEALS_MAX:
        raise TooManySeals(f"{looked} byte ranges, {gaps} as ours, with those of a stamping")


def seals_in(file: bytes, sealers: trust.Sealers, *, behind: int = 0) -> list[Seal]:
    """Return the seals of ours that begin behind so many bytes, in order.  Refuses with `TooManySeals`."""
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
            raise TooManySeals(f"{looked} byte ranges, {gaps} as ours")
        at = file.find(BYTE_RANGE, at + 1)


def _read(
    file: bytes, start: int, stop: int, ranges: tuple[int, int, int], sealers: trust.Sealers
) -> Seal | None:
    try:
        contents = bytes.fromhex(file[start + 1 : stop - 1].decode("ascii"))
        signed_data = cms.read_own(contents)
    except (ValueError, cms.SignedDataUnreadable):
        return None
    # In this order: a key that no root vouches for is not used.
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
    """Return the digests for each seal, in one pass over the file; `None` for one out of place or cut off.

    `known` is the state of SHA-256 over the first bytes, and their number, of a file that is not
    hashed again.
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
