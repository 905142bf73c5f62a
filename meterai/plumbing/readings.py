"""Readings: the signed measurements of watchers, and the file of watchers whose signatures are trusted.

A watcher is a process outside the platform (`meterai watch`).  For each minute it signs one reading, which contains the
SHA-256 of the reading before it, so that a missing reading is noticed.
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

KIND = "meterai reading"  # kind of the signed document
WATCHERS_MAX = 15  # of one installation; each of them queries all others
NAME_LENGTH_MAX = 40
FAULTS_MAX = 10  # codes of one component in one minute; a watcher has some thirty in all
WORST_MS_MAX = 10_000_000
FAULT_PATTERN = r"^[a-z0-9_]{1,60}\Z"  # of a code of ours; other texts do not match
_Count = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=NAME_LENGTH_MAX)]
_Text = Annotated[str, msgspec.Meta(max_length=500)]
_Fault = Annotated[str, msgspec.Meta(pattern=FAULT_PATTERN)]


class WatchersWrong(Refusal):
    """The file of watchers is invalid."""

    code = "watchers_wrong"
    status = 422

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class Measured(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Results of one watcher's tries of a component within a minute.

    `failures` counts tries that failed, `slow` tries that worked, but too slowly or with a minor fault; `worst_ms` is
    the longest in milliseconds, and `faults` are the different codes of the failures.
    """

    tries: _Count
    failures: _Count = 0
    slow: _Count = 0
    worst_ms: Annotated[int, msgspec.Meta(ge=0, le=WORST_MS_MAX)] = 0
    faults: Annotated[tuple[_Fault, ...], msgspec.Meta(max_length=FAULTS_MAX)] = ()


class Reading(FromOutside, frozen=True, forbid_unknown_fields=True):
    """The measurements of one watcher for one minute.

    `minute` is the time in UTC at which that minute begins. `previous` is the SHA-256, in hexadecimal digits, of the signed
    document of the watcher's reading before this one, empty for its first reading. A component that was not tried in the minute
    is left out.
    """

    watcher: _Name
    installation: _Text
    minute: datetime
    sequence: Annotated[int, msgspec.Meta(ge=0)]
    previous: Annotated[str, msgspec.Meta(max_length=64)]
    components: Mapping[Component, Measured]


@dataclass(frozen=True, slots=True)
class Watcher:
    """One trusted watcher: its name, the URL of its static files, and its public key of 32 bytes."""

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
    """Read a file of watchers: tables `[[watcher]]` with `name`, `url` and `public_key` (PEM).

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
        raise WatchersWrong(f"1 to {WATCHERS_MAX} watchers are allowed")
    for values in ({one.name for one in found}, {one.public_key for one in found}):
        if len(values) < len(found):
            raise WatchersWrong("two watchers have the same name or key")
    return found


# msgspec builds the tables of a Struct and its enums at the first use. If two threads read their first readings at
# once, both would build them and the process would crash, so they are built here.
msgspec.json.Decoder(Reading)


def majority_of(watchers: int) -> int:
    """Return the number of watchers that must agree: more than half of all configured watchers, answering or not."""
    return watchers // 2 + 1


def signed_reading(reading: Reading, signer: DocumentSigner) -> str:
    """Return the reading as a signed document (JSON Web Signature), on one line."""
    return signer.sign(KIND, msgspec.to_builtins(reading))


def read_reading(document: str | bytes, public_key: bytes) -> Reading:
    """Return the reading in a signed document. Refuses `SignatureWrong`."""
    facts = read_signed(document, KIND, public_key)
    try:
        found = msgspec.convert(facts, Reading, strict=True)
        # Strangers derive an outage record by Python's library, which reads fewer forms of a time than `msgspec`.
        if datetime.fromisoformat(str(facts["minute"])) != found.minute:
            raise ValueError("the minute is ambiguous")
    except ValueError as error:
        raise SignatureWrong(f"the text is no reading: {error}") from None
    return found


def digest(document: str) -> str:
    """Return the SHA-256 of a signed document in hexadecimal digits; the next reading contains it as `previous`."""
    return hashlib.sha256(document.encode()).hexdigest()
