"""The signed document of an outage record, from which anybody can derive the findings again.

It is a JSON Web Signature (`plumbing/signed.py`) over one JSON object: the time, the findings, the version and parameters of
the rules, and the public key and compressed signed readings of every configured watcher.  The encoding is unique: another
encoding of the same content is refused.
"""

import zlib
from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from datetime import datetime

import msgspec

from meterai.kit.components import NEEDED_FOR, Component, PublicAct
from meterai.outages.model import Findings, LeftOut, OutageSpan, Period, RecordWrong, WatcherSource
from meterai.outages.rules import JOIN_MINUTES, Derived, Signed, derive
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.readings import WATCHERS_MAX, Watcher, read_reading
from meterai.plumbing.signed import DocumentSigner, SignatureWrong, canonical, read_signed

RECORDS = "outage records"  # purpose from which the signing key is derived
KIND = "meterai outage record"  # kind of the signed document
RULES_VERSION = 1  # version of `rules`; a record of another version is not derived by this code
READINGS_BYTES_MAX = (
    8 * 1024 * 1024
)  # of one watcher, unpacked; a day of readings of 1.2 KB has 1.7 MB
# Bytes of the packed readings of one watcher.  All watchers together have 10 MiB, since a PDF that is sealed may have 20 MiB.
# The readings of a day have 300 KB, those of a day with many faults 420 KB.
PACKED_BYTES_MAX = 10 * 1024 * 1024 // WATCHERS_MAX
FILE_BYTES_MAX = 24 * 1024 * 1024  # largest record that is verified


class Embedded(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A watcher in a record: public key in hexadecimal; readings, one per line, compressed by zlib, in base64."""

    name: str
    public_key: str
    readings: str


class OutageRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Content of a signed outage record. Times are whole minutes in UTC; a time span does not include its end."""

    record: str
    by: str
    operator: str
    begin: datetime
    end: datetime
    incident: str
    replaces: str
    confirmed_at: datetime
    confirmed_by_persons: int
    specimen: bool
    rules: int
    join_minutes: int
    needed_for: Mapping[PublicAct, Sequence[Component]]
    failed: Mapping[PublicAct, Sequence[Period]]
    unmeasured: Mapping[PublicAct, Sequence[OutageSpan]]
    left_out: Sequence[LeftOut]
    watchers: Sequence[Embedded]

    @property
    def is_by_these_rules(self) -> bool:
        """True if the rules in this release are those by which the record was derived."""
        return (self.rules, self.join_minutes, dict(self.needed_for)) == (
            *(RULES_VERSION, JOIN_MINUTES, needed_for()),
        )


def needed_for() -> dict[PublicAct, Sequence[Component]]:
    """Return the components that each act needs, in a fixed order."""
    return {act: sorted(needed) for act, needed in NEEDED_FOR.items()}


def signer_of(keyring: Keyring) -> DocumentSigner:
    """Return the signer of an installation's outage records; the signer's public key is published."""
    return DocumentSigner(keyring.derived(RECORDS))


def findings(installation: str, derived: Derived, watchers: Sequence[WatcherSource]) -> Findings:
    """Return derived findings in the form that is stored, with their sources (`watchers`)."""
    return Findings(
        installation,
        RULES_VERSION,
        derived.failed,
        derived.unmeasured,
        derived.left_out,
        watchers,
    )


def packed(watcher: Watcher, readings: Sequence[Signed]) -> tuple[bytes, Sequence[Signed]]:
    """Pack the readings of a watcher; return the packed bytes, and the readings unpacked from them.

    Refuses `RecordWrong` if the readings exceed the limits of a record, since a watcher may sign more than fits.
    """
    content = zlib.compress("\n".join(one.document for one in readings).encode(), 9)
    if len(content) > PACKED_BYTES_MAX:
        raise RecordWrong("readings are too long")
    return content, read_readings(watcher.name, content, watcher.public_key)


def unpacked(content: bytes) -> Sequence[str]:
    """Unpack the signed readings of a watcher.  Refuses `RecordWrong`."""
    try:
        machine = zlib.decompressobj()
        text = machine.decompress(content, READINGS_BYTES_MAX).decode()
    except (zlib.error, UnicodeDecodeError):
        raise RecordWrong("readings cannot be unpacked") from None
    if not machine.eof or machine.unused_data:
        raise RecordWrong("readings are too long, or contain more than one file")
    return text.split("\n") if text else []


def signed(record: OutageRecord, signer: DocumentSigner) -> str:
    """Return the record as a signed document."""
    return signer.sign(KIND, msgspec.to_builtins(record))


def read_record(document: bytes, public_key: bytes) -> OutageRecord:
    """Return the content of a signed record.  Refuses `SignatureWrong`, also for another encoding of the same content."""
    facts = read_signed(document, KIND, public_key)
    if canonical(document) != document:
        raise SignatureWrong("the encoding differs from the signed one")
    try:
        return msgspec.convert(facts, OutageRecord)
    except msgspec.ValidationError as error:
        raise SignatureWrong(f"the text is no record: {error}") from None


def derived_again(record: OutageRecord, trusted: Sequence[Watcher] = ()) -> Derived:
    """Derive findings again, from the readings in a record alone.

    If `trusted` watchers are given, only readings with their keys count, else those of all watchers in the record.  Refuses
    `RecordWrong` if the rules are of another version, or a reading is not signed by the watcher under whose name it is stored.
    """
    if not record.is_by_these_rules:
        raise RecordWrong("the rules of the record have another version")
    try:
        keys = {one.name: bytes.fromhex(one.public_key) for one in record.watchers}
        contents = {one.name: b64decode(one.readings) for one in record.watchers}
    except ValueError:
        raise RecordWrong("a key or readings cannot be read") from None
    trusted_keys = {one.name: one.public_key for one in trusted} or keys
    found: dict[str, Sequence[Signed]] = dict.fromkeys(trusted_keys, ())
    for name, key in keys.items():
        if trusted_keys.get(name) == key:
            found[name] = read_readings(name, contents[name], key)
    return derive(found, record.begin, record.end, record.by)


def read_readings(name: str, content: bytes, public_key: bytes) -> Sequence[Signed]:
    """Return a watcher's readings from packed bytes.  Refuses `RecordWrong`."""
    return [_read(name, document, public_key) for document in unpacked(content)]


def _read(name: str, document: str, public_key: bytes) -> Signed:
    try:
        reading = read_reading(document, public_key)
    except SignatureWrong as refusal:
        raise RecordWrong(f"a reading is not signed by {name}: {refusal}") from None
    if reading.watcher != name:
        raise RecordWrong(f"a reading of {reading.watcher} is stored under {name}")
    return Signed(document, reading)


def embedded(source: WatcherSource, content: bytes) -> Embedded:
    """Return a watcher with its packed readings, in the form in which a signed record contains them."""
    return Embedded(source.name, source.public_key, b64encode(content).decode())
