"""Serial of a stamp: 22 unique letters and digits.

Layout, five bits a character in Crockford's alphabet (no I, L, O, U):

    TTTTTTTT PP CC RRRRRRRR KK
    |        |  |  |        +-- check: the first 20 characters as a number, modulo 1021
    |        |  |  +----------- 40 random bits: a serial cannot be guessed from another
    |        |  +-------------- counter within the process and the millisecond
    |        +----------------- number of the process, leased from the database
    +-------------------------- milliseconds since 2025-01-01 UTC (lasts until 2059)

Time, process and counter make it unique by construction, without a counter in the database on which all processes
would wait. The law demands a unique code of 22 characters (PMK 78/2024); it does not fix their layout. 1021 is the
largest prime below 1024. It divides neither 32 nor 31, so the check detects one wrong character and two swapped
neighbours.
"""

import secrets
import time
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from meterai.kit.ids import decode, encode

EPOCH = datetime(2025, 1, 1, tzinfo=UTC)
LENGTH = 22
CHECK_MODULUS = 1021
COUNTER_LIMIT = 1 << 10  # serials that one process can make in one millisecond
LEASE_LIMIT = (1 << 10) - 1  # leases are numbered from 0 up to this number, exclusive
UNLEASED = LEASE_LIMIT  # process number of a maker without a database (command line)

# Unicode general categories of separators between characters: spaces, line ends, dashes, and invisible characters.
_PARTING = frozenset({"Zs", "Zl", "Zp", "Cc", "Cf", "Pd"})
_SIGNS = "./\u2212"  # the last is a minus sign, which some programs put in place of a hyphen
_category = unicodedata.category
_EPOCH_MS = int(EPOCH.timestamp() * 1000)


@dataclass(frozen=True, slots=True, order=True)
class Serial:
    """A well-formed serial.  Raises `ValueError` if the text is not one."""

    text: str

    def __post_init__(self) -> None:
        if len(self.text) != LENGTH:
            raise ValueError("a serial has 22 characters")
        try:
            body, check = decode(self.text[:20]), decode(self.text[20:])
        except KeyError:
            raise ValueError("a serial has only digits and letters without I, L, O, U") from None
        if body % CHECK_MODULUS != check:
            raise ValueError("the check characters do not match")

    def __str__(self) -> str:
        return self.text

    def grouped(self) -> str:
        """Return the serial in groups of four, as it is printed for people."""
        return " ".join([self.text[start : start + 4] for start in range(0, LENGTH, 4)])

    def made_at(self) -> datetime:
        """Return the time at which the serial was made, to the millisecond."""
        return EPOCH + timedelta(milliseconds=decode(self.text[:8]))

    @classmethod
    def typed(cls, text: str) -> "Serial":
        """Read a typed or copied serial: with any separators, in lower case or full-width letters, with O for 0, I and
        L for 1.
        """
        plain = unicodedata.normalize("NFKC", text).upper()
        kept = "".join(one for one in plain if one not in _SIGNS and _category(one) not in _PARTING)
        return cls(kept.translate(str.maketrans("OIL", "011")))


class SerialMaker:
    """Makes the serials of one process, whose leased number is `lease`. Not thread-safe."""

    def __init__(self, lease: int) -> None:
        if not 0 <= lease <= UNLEASED:
            raise ValueError(f"a lease is a number from 0 to {UNLEASED}")
        self._lease = lease
        self._millisecond = 0
        self._counter = 0

    def make(self) -> Serial:
        """Return the next serial."""
        # The millisecond never decreases, even if the machine's clock does: after 1,024 serials in one millisecond, or
        # after a step backwards, the maker uses the next millisecond.
        now = max(time.time_ns() // 1_000_000 - _EPOCH_MS, self._millisecond)
        if now == self._millisecond:
            self._counter += 1
            if self._counter == COUNTER_LIMIT:
                now, self._counter = now + 1, 0
        else:
            self._counter = 0
        self._millisecond = now
        head = encode(now, 8) + encode(self._lease, 2) + encode(self._counter, 2)
        body = head + encode(secrets.randbits(40), 8)
        return Serial(body + encode(decode(body) % CHECK_MODULUS, 2))
