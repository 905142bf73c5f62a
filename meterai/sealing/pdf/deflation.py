"""Whether deflated data are the same for every reader that inflates them (RFC 1951).

Two viewers read codes ahead, as many bits as the longest has.  At a stored block, which begins at a whole
octet, they forget what they have read, and may go on an octet too late: then they see other data than
zlib does.  So a stored block may stand behind stored ones only.
"""

from collections.abc import Iterator, Sequence

_STORED, _FIXED, _DYNAMIC = 0, 1, 2
_END_OF_BLOCK = 256
_HEAD_BYTES = 2  # of zlib (RFC 1950)
_DEFLATE, _METHOD, _DICTIONARY = 8, 0x0F, 0x20
# The order in which the lengths of the codes of lengths stand (RFC 1951, section 3.2.7).
_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)
_REPEATED = {16: (2, 3), 17: (3, 3), 18: (7, 11)}  # bits that follow, and what is added to them
_LITERALS, _DISTANCES = 288, 30
_FIXED_LITERALS = (8,) * 144 + (9,) * 112 + (7,) * 24 + (8,) * 8
_FIXED_DISTANCES = (5,) * _DISTANCES
# Bits that follow the code of a length, or of a distance (section 3.2.5).
_LENGTH_BITS = (*[0] * 8, *[bits for bits in range(1, 6) for _ in range(4)], 0)
_DISTANCE_BITS = (0, 0, *[bits for bits in range(14) for _ in range(2)])


def is_read_alike(data: bytes) -> bool:
    """True for whole deflated data without a stored block behind a coded one.

    Takes about a second for two megabytes; the caller bounds it.
    """
    if len(data) <= _HEAD_BYTES or data[0] & _METHOD != _DEFLATE or data[1] & _DICTIONARY:
        return False
    try:
        was_coded = False
        for kind in _kinds(data):
            if kind == _STORED and was_coded:
                return False
            was_coded |= kind != _STORED
    except (IndexError, KeyError, ValueError):
        return False
    return True


def _kinds(data: bytes) -> Iterator[int]:
    """The kind of each block, to the last."""
    bits = _Bits(data)
    is_last = False
    while not is_last:
        is_last, kind = bool(bits.take(1)), bits.take(2)
        yield kind
        if is_last and kind in (_STORED, _FIXED, _DYNAMIC):
            return  # nothing comes behind it that could be a block
        if kind == _STORED:
            bits.skip_stored()
        elif kind == _FIXED:
            _pass_codes(bits, _Code(_FIXED_LITERALS), _Code(_FIXED_DISTANCES))
        elif kind == _DYNAMIC:
            _pass_codes(bits, *_codes(bits))
        else:
            raise ValueError("no kind of block")


class _Bits:
    """Deflated data, bit by bit, the lowest of an octet first.  Raises `IndexError` behind the end."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = _HEAD_BYTES * 8

    def take(self, count: int) -> int:
        """So many bits as a number."""
        found = self.peek(count)
        self._at += count
        if self._at > 8 * len(self._data):
            raise IndexError
        return found

    def peek(self, count: int) -> int:
        """So many bits as a number, without going on; zeros behind the end."""
        first = self._at >> 3
        word = int.from_bytes(self._data[first : first + 4], "little")
        return (word >> (self._at & 7)) & ((1 << count) - 1)

    def skip_stored(self) -> None:
        """Pass a stored block, which states its length twice."""
        self._at = (self._at + 7) // 8 * 8
        length, check = self.take(16), self.take(16)
        if length ^ check != 0xFFFF:
            raise ValueError("a stored block of two lengths")
        self._at += 8 * length


class _Code:
    """A code by the lengths of its words (section 3.2.2)."""

    def __init__(self, lengths: Sequence[int]) -> None:
        self._longest = max(lengths)
        self._symbols: dict[tuple[int, int], int] = {}
        word = 0
        for length in range(1, self._longest + 1):
            for symbol, its in enumerate(lengths):
                if its == length:
                    self._symbols[length, word] = symbol
                    word += 1
            word <<= 1
        self._found: dict[int, tuple[int, int]] = {}  # by the next bits: a symbol, and its length

    def next(self, bits: _Bits) -> int:
        """The symbol that comes next; raises `KeyError` for none."""
        ahead = bits.peek(self._longest)
        found = self._found.get(ahead)
        if found is None:
            found = self._found[ahead] = self._search(ahead)
        bits.take(found[1])
        return found[0]

    def _search(self, ahead: int) -> tuple[int, int]:
        word = 0
        for length in range(1, self._longest + 1):
            word = word << 1 | ahead & 1
            ahead >>= 1
            symbol = self._symbols.get((length, word))
            if symbol is not None:
                return symbol, length
        raise KeyError(word)


def _codes(bits: _Bits) -> tuple[_Code, _Code]:
    """The two codes at the beginning of a block."""
    literals, distances, count = bits.take(5) + 257, bits.take(5) + 1, bits.take(4) + 4
    of_lengths = [0] * len(_ORDER)
    for place in _ORDER[:count]:
        of_lengths[place] = bits.take(3)
    code, lengths = _Code(of_lengths), list[int]()
    while len(lengths) < literals + distances:
        symbol = code.next(bits)
        if symbol not in _REPEATED:
            lengths.append(symbol)
            continue
        width, more = _REPEATED[symbol]
        lengths += [lengths[-1] if symbol == _ORDER[0] else 0] * (bits.take(width) + more)
    return _Code(lengths[:literals]), _Code(lengths[literals:])


def _pass_codes(bits: _Bits, literals: _Code, distances: _Code) -> None:
    while (symbol := literals.next(bits)) != _END_OF_BLOCK:
        if symbol > _END_OF_BLOCK:
            bits.take(_LENGTH_BITS[symbol - _END_OF_BLOCK - 1])
            bits.take(_DISTANCE_BITS[distances.next(bits)])
