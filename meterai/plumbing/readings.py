"""Readings: the signed measurements of watchers, and the file that says whose signatures count.

A watcher is a process outside the platform (`meterai watch`).  For each minute it signs one reading, which names the
reading before it by its SHA-256, so that none can be left out unseen.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec

from meterai.kit.components import Component
from meterai.kit.outside import FromOutside
from meterai.kit.refusal import Refusal
from meterai.plumbing.signed import DocumentSigner, SignatureWrong, public_key_of, read_signed
from meterai.plumbing.toml import read_toml

KIND = "meterai reading"  # of the signed document
WATCHERS_MAX = 15  # of one installation; each is asked by every other
NAME_LENGTH_MAX = 40
FAULTS_MAX = 10  # codes of one component and minute; a watcher has some thirty in all
WORST_MS_MAX = 10_000_000
FAULT_PATTERN = r"^[a-z0-9_]{1,60}\Z"  # of a code: words of others are none
_Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
_Text = Annotated[str, msgspec.Meta(max_length=500)]
_Fault = Annotated[str, msgspec.Meta(pattern=FAULT_PATTERN)]


class WatchersWrong(Refusal):
    """The file of watchers cannot be read as one."""

    code = "watchers_wrong"
    status = 422

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Tries of one component within a minute.

    `failures` are those that did not do what they should, `slow` those that did it later than the limit of the
    component; `worst_ms` is the longest in milliseconds, `faults` are codes of the failures, each once.
    """

    tries: _Count
    failures: _Count = 0
    slow: _Count = 0
    worst_ms: Annotated[int, msgspec.Meta(ge=0, le=WORST_MS_MAX)] = 0
    faults: Annotated[tuple[_Fault, ...], msgspec.Meta(max_length=FAULTS_MAX)] = ()


class Reading(FromOutside, frozen=True, forbid_unknown_fields=True):
    """One minute as one watcher measured it.

    `minute` is its begin in UTC.  `previous` is the SHA-256, in hexadecimal digits, of the signed document of the reading
    before; empty for the first.  A component that was not tried in the minute is left out.
    """

    watcher: _Name
    installation: _Text
    minute: datetime
    sequence: Annotated[int, msgspec.Meta(ge=0)]
    previous: Annotated[str, msgspec.Meta(max_length=64)]
    components: Mapping[Component, Measured]


@dataclass(frozen=True, slots=True)
class Watcher:
    """One watcher whose signatures count: its name, the address of its static files, its public key of 32 bytes."""

    name: str
    url: str
    public_key: bytes


class _Entry(msgspec.Struct, forbid_unknown_fields=True):
    name: _Name
    url: _Text
    public_key: str


class _Watchers(msgspec.Struct, forbid_unknown_fields=True):
    watcher: list[_Entry]


def read_watchers(text: str) -> Sequence[Watcher]:
    """The watchers of a file: tables `[[watcher]]` with `name`, `url` and `public_key` (PEM).

    Refuses `WatchersWrong`.
    """
    try:
        entries = msgspec.convert(read_toml(text), _Watchers).watcher
        found = [
            Watcher(one.name, one.url.rstrip("/"), public_key_of(one.public_key.encode()))
            for one in entries
        ]
    except (ValueError, SignatureWrong) as error:
        raise WatchersWrong(str(error)) from None
    if not 1 <= len(found) <= WATCHERS_MAX:
        raise WatchersWrong(f"1 to {WATCHERS_MAX} watchers")
    for values in ({one.name for one in found}, {one.public_key for one in found}):
        if len(values) < len(found):
            raise WatchersWrong("two watchers have one name or one key")
    return found


# msgspec builds the tables of a Struct and its enums at the first use.  Two threads that read their
# first readings at once would build them together, and the process crashes; so they are built here.
msgspec.json.Decoder(Reading)


def majority_of(watchers: int) -> int:
    """The number of watchers who must agree: more than half of all there are, present or not."""
    return watchers // 2 + 1


def signed_reading(reading: Reading, signer: DocumentSigner) -> str:
    """The reading as a signed document (JSON Web Signature), on one line."""
    return signer.sign(KIND, msgspec.to_builtins(reading))


def read_reading(document: str | bytes, public_key: bytes) -> Reading:
    """The reading of a signed document.  Refuses `SignatureWrong`."""
    facts = read_signed(document, KIND, public_key)
    try:
        found = msgspec.convert(facts, Reading, strict=True)
        # Python's library, by which a stranger derives a record, reads fewer forms of a time than `msgspec`.
        if datetime.fromisoformat(str(facts["minute"])) != found.minute:
            raise ValueError("the minute has two meanings")
    except ValueError as error:
        raise SignatureWrong(f"it is no reading: {error}") from None
    return found


def digest(document: str) -> str:
    """The SHA-256 of a signed document, by which the next reading names it."""
    return hashlib.sha256(document.encode()).hexdigest()
