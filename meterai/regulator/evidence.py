"""Evidence of one serial, as a signed archive of records of the rooms, without names and addresses of people.

The archive has the delta (the bytes that stamping appended) and digests of the stamped file, but not the file itself, since the
document belongs to its owner. The timeline has events with times; facts that may be about a person are left out.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meterai import audit, ledger, sealing, stamping, stamps
from meterai.audit import CleanAudit
from meterai.commands import Timeline
from meterai.kit.clock import WIB
from meterai.kit.refusal import NotFound, Sentence
from meterai.kit.serial import Serial
from meterai.kit.subjects import Happening, Subject, SubjectKind
from meterai.ledger import LedgerEntry
from meterai.plumbing.db.database import ReadTx
from meterai.plumbing.messages import LANGUAGES, localize, translate
from meterai.plumbing.signed import DocumentSigner
from meterai.plumbing.zips import ZippedFile, archive
from meterai.sealing import DeltaSeal, Issuers
from meterai.stamping import Stamping
from meterai.stamps import StampRecord

KIND = "meterai evidence"  # kind of the signed manifest
MANIFEST, STAMP, DELTA, CHAIN = "manifest.json", "stamp.json", "delta.bin", "certificates.pem"
CLAIM, CLAIM_KEY = "claim.txt", "claim-key.pem"
TIMELINE, ENTRIES, AUDITS = "timeline.json", "entries.json", "audits.json"
ENTRIES_MAX = 200  # ledger entries of one order
AUDITS_SHOWN = 2  # number of clean audits included: the first ones that cover the events
# Names of text facts of timeline events that never concern a person; every other text is left out.
_NAMES_NO_PERSON = frozenset(
    {"digest", "stamped", "serials", "serial", "stamping", "order", "refund"}
)
_LEFT_OUT = "[…]"


@dataclass(frozen=True, slots=True)
class SerialEvidence:
    """Everything that the rooms recorded about the stamp with a serial, without the account that owns the stamp."""

    serial: Serial
    record: StampRecord
    stamping: Stamping
    delta: bytes | None
    seal: DeltaSeal | None
    timeline: Sequence[Happening]
    entries: Sequence[LedgerEntry]
    audits: Sequence[CleanAudit]

    @property
    def claim(self) -> str:
        """The signed text in the QR code of the stamp, without the address of the site; empty if it cannot be read from the
        delta.
        """
        found = dict(
            zip(self.stamping.serials, self.seal.claims if self.seal else (), strict=False)
        )
        claim = found.get(self.serial.text)
        return f"{self.serial.text}/{claim}" if claim else ""


async def gather(tx: ReadTx, tell: Timeline, serial: Serial) -> SerialEvidence:
    """Gather the records of a serial. Refuses `NotFound`."""
    record = await stamps.look_up(tx, serial)
    if record is None:
        raise NotFound("no such serial")
    account = record.account
    [found] = await stamping.stampings(tx, account, [record.stamping])
    document = await stamping.stamped(tx, account, record.stamping)
    delta = document.delta if document else None
    entries = await ledger.entries_of(tx, account, found.order or found.id, ENTRIES_MAX)
    happened = found.delivered_at or found.requested_at
    return SerialEvidence(
        serial,
        record,
        found,
        None if delta is None else bytes(delta),
        None if delta is None else sealing.seal_in(bytes(delta)),
        await tell(tx, Subject(SubjectKind.SERIAL, serial.text, account)),
        entries,
        await audit.audits_after(tx, happened, AUDITS_SHOWN),
    )


def packed(
    found: SerialEvidence,
    signer: DocumentSigner,
    issuers: Issuers,
    *,
    at: datetime,
    by: str,
    specimen: bool,
) -> bytes:
    """Return the evidence as a signed archive. `by` is the URL of the installation."""
    files = dict(_files(found, issuers))
    manifest_facts = {
        "by": by,
        "specimen": specimen,
        "serial": found.serial.text,
        "made_at": _time_text(at),
        "files": {
            name: {"bytes": len(content), "sha256": sha256(content).hexdigest()}
            for name, content in files.items()
        },
    }
    manifest = signer.sign(KIND, manifest_facts).encode()
    return archive(
        ZippedFile(name, at, one) for name, one in ({MANIFEST: manifest} | files).items()
    )


def _files(found: SerialEvidence, issuers: Issuers) -> Iterator[tuple[str, bytes]]:
    yield STAMP, _json(_stamp(found))
    if found.delta is not None:
        yield DELTA, found.delta
    if found.seal is not None:
        yield CHAIN, found.seal.pem()
    if found.claim:
        yield CLAIM, found.claim.encode() + b"\n"
        key = sealing.claim.read(found.claim, issuers.claim_keys).key_id
        public = issuers.claim_keys[key]
        yield CLAIM_KEY, public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    yield TIMELINE, _json([_happening(one) for one in found.timeline])
    yield ENTRIES, _json([_entry(one) for one in found.entries])
    yield AUDITS, _json([_audit(one) for one in found.audits])


def _json(value: object) -> bytes:
    return json.dumps(value, indent=1, ensure_ascii=False).encode() + b"\n"


def _time_text(at: datetime | None) -> str | None:
    return at.astimezone(WIB).isoformat() if at else None


def _stamp(found: SerialEvidence) -> dict[str, object]:
    of = found.stamping
    return {
        "serial": found.serial.text,
        "state": found.record.state,
        "affixed_at": _time_text(found.record.affixed_at),
        "requested_at": _time_text(of.requested_at),
        "delivered_at": _time_text(of.delivered_at),
        "serials": list(of.serials),
        "placements": stamping.placements_json(of.placements),
        "sha256_original": of.sha256_original.hex(),
        "sha256_stamped": of.sha256_stamped.hex() if of.sha256_stamped else None,
        "sha256_delta": sha256(found.delta).hexdigest() if found.delta is not None else None,
        "sealed_digest": found.seal.digest.hex() if found.seal else None,
    }


def _happening(one: Happening) -> dict[str, object]:
    facts = {name: _without_persons(name, value) for name, value in one.facts.items()}
    said = {
        language: translate(f"happening.{one.word}", language, **localize(facts, language))
        for language in LANGUAGES
    }
    return {"at": _time_text(one.at), "word": one.word, **said}


def _without_persons(name: str, value: object) -> object:
    if isinstance(value, str) and name not in _NAMES_NO_PERSON:
        return _LEFT_OUT
    if isinstance(value, Sentence):
        return Sentence(
            value.key, {key: _without_persons(key, fact) for key, fact in value.facts.items()}
        )
    if isinstance(value, Mapping | list | tuple):
        return _LEFT_OUT
    return value


def _entry(one: LedgerEntry) -> dict[str, object]:
    return {
        "at": _time_text(one.at),
        "entry": ":".join(one.entry.split(":")[:2]),  # a number of the payer's bank may follow
        "fact": one.reason,
        "books": dict(zip(one.books, one.amounts, strict=True)),
    }


def _audit(one: CleanAudit) -> dict[str, object]:
    return {
        "point": one.point,
        "kind": one.kind,
        "covers_from": _time_text(one.covers_from),
        "covers_until": _time_text(one.covers_until),
        "history": one.history.hex(),
        "chained": one.chained.hex(),
    }
