"""Service of verification: checks documents by their seals and the register, and looks up serials and claims."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meterai import sealing, stamping, stamps
from meterai.kit.clock import Clock
from meterai.kit.refusal import NotFound
from meterai.kit.serial import Serial
from meterai.kit.text import quoted
from meterai.plumbing.config import ProcessSettings
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.messages import catalogue, localize, translate
from meterai.sealing import Check, CheckQuestion, CheckReport, Issuers, QrClaim
from meterai.stamps import StampRecord, StampState
from meterai.verification.model import (
    GOOD,
    ClaimVerdict,
    CodeForeign,
    FinalVerdict,
    NoCodeFound,
    NoSealedRevision,
    serial_in,
)
from meterai.verification.service.pictures import Pictures, VerdictPictures
from meterai.verification.service.views import (
    CheckView,
    ClaimKeysView,
    ClaimKeyView,
    ClaimView,
    EarlierView,
    LaterSignatureView,
    SealedView,
    StampView,
    VerificationView,
)

# Documents are read by Python code, so a second thread would wait for the interpreter, and the event loop for both
# threads.  Long checks run in separate processes.
CHECKED_AT_ONCE = 1
# Last part of an address in a QR code: a serial, followed by a claim if the code is complete.
_OF_A_STAMP = re.compile(r"/C/([0-9A-Z]{22}(?:/[0-9A-Z]{1,200})?)/?\Z", re.ASCII | re.IGNORECASE)
ELSEWHERE = "?address=elsewhere"  # query of the page for a code whose address is not ours
Quote = Callable[[str], str]
# Names of facts whose texts have a known form; all other texts come from the file and may contain anything.
_OURS = ("reason", "serial", "serials", "sha256")


@dataclass(frozen=True, slots=True)
class CheckReceipt:
    """Receipt of a check: SHA-256 and size of the file in bytes, time of the check, and address of the installation."""

    sha256: bytes
    size_bytes: int
    at: datetime
    by: str
    is_specimen: bool


def sentence(check: Check, language: str, quote: Quote = quoted) -> str:
    """Return the result of a check as a sentence; text from the file is passed through `quote`."""
    outcome = "passed" if check.passed else "failed"
    told = {
        name: quote(value) if isinstance(value, str) and name not in _OURS else value
        for name, value in check.facts.items()
    }
    facts = localize(told, language)
    if "reason" in facts:
        facts["reason"] = _why_unreadable(str(facts["reason"]), language)
    return translate(f"check.{check.name}.{outcome}", language, **facts)


def _why_unreadable(code: str, language: str) -> str:
    """Return the sentence that tells why a document is unreadable; `code` is the code of the refusal."""
    key = f"unreadable.{code}"
    return translate(key if key in catalogue() else "unreadable.other", language)


def shown(
    report: CheckReport,
    verdict: FinalVerdict,
    checks: Sequence[Check],
    language: str,
    examination: CheckReceipt,
    quote: Quote = quoted,
) -> VerificationView:
    """Convert the result of a check to its form in the API and on pages.

    `report` is about the seal; `verdict` and `checks` are those after the look-up in the register of serials.
    """
    return VerificationView(
        verdict=verdict,
        summary=translate(f"verdict.{verdict}.explained", language),
        is_specimen=examination.is_specimen,
        checked_at=examination.at,
        checked_by=examination.by,
        sha256=examination.sha256.hex(),
        size_bytes=examination.size_bytes,
        serials=list(report.serials),
        sealed_at=report.sealed_at,
        sha256_original=report.sha256_original.hex() if report.sha256_original else None,
        checks=[CheckView(one.name, one.passed, sentence(one, language, quote)) for one in checks],
        **(revisions(report, examination.size_bytes, quote) if verdict in GOOD else {}),
    )


def revisions(report: CheckReport, size_bytes: int, quote: Quote = quoted) -> dict[str, Any]:
    """Return the fields of `VerificationView` that are set only for a good verdict.

    They describe the sealed revision, earlier seals, and the bytes and signatures behind the sealed revision. `size_bytes` is
    the size of the file.
    """
    assert report.sealed_bytes is not None
    assert report.sha256_sealed is not None
    assert report.sealed_at is not None
    return {
        "sealed": SealedView(
            bytes=report.sealed_bytes,
            sha256=report.sha256_sealed.hex(),
            sealed_at=report.sealed_at,
            serials=list(report.serials),
        ),
        "later_bytes": size_bytes - report.sealed_bytes,
        "earlier": [
            EarlierView(bytes=one.sealed_bytes, sealed_at=one.sealed_at, serials=list(one.serials))
            for one in report.earlier
        ],
        "later_signatures": [LaterSignatureView(quote(one.signer), one.at) for one in report.later],
    }


@dataclass(frozen=True, slots=True)
class JudgedDocument:
    """A document whose seal was judged, and whose serials were not looked up in the register yet."""

    report: CheckReport
    examination: CheckReceipt

    @property
    def serials(self) -> Sequence[str]:
        """Serials to look up in the register; empty unless the verdict is good."""
        return self.report.serials if FinalVerdict(self.report.verdict) in GOOD else ()


class Register:
    """Register entries of some serials: their stamps, and the SHA-256 of the documents of the stamps."""

    def __init__(
        self, records: Mapping[str, StampRecord], originals: Mapping[tuple[UUID, UUID], bytes]
    ) -> None:
        self._records = records
        self._originals = originals

    @classmethod
    async def of(cls, tx: ReadTx, serials: Collection[str]) -> Self:
        """Look up any number of serials, by four queries at most."""
        records = await stamps.look_up_all(tx, serials)
        stampings = {(one.account, one.stamping) for one in records.values()}
        return cls(records, await stamping.originals_of(tx, stampings))

    def _original(self, found: StampRecord) -> bytes | None:
        return self._originals.get((found.account, found.stamping))

    def judge(self, report: CheckReport) -> tuple[FinalVerdict, list[Check]]:
        """Return the final verdict on a report, and its checks.

        If the verdict of the report is good, each of its serials is compared with the register.
        """
        verdict, checks = FinalVerdict(report.verdict), list(report.checks)
        if verdict not in GOOD:
            return verdict, checks
        for text, on in zip(report.serials, report.originals, strict=True):
            facts: dict[str, object] = {"serial": text}
            found = self._records.get(text)
            if found is None or found.state != StampState.AFFIXED:
                return FinalVerdict.UNKNOWN_SERIAL, [
                    *checks,
                    Check("register", passed=False, facts=facts),
                ]
            if self._original(found) != on:
                return FinalVerdict.SERIAL_MISMATCH, [
                    *checks,
                    Check("binding", passed=False, facts=facts),
                ]
        return verdict, [*checks, Check("register", passed=True)]

    def stamp(self, serial: Serial, language: str) -> StampView | None:
        """Return the public part of the register's entry for a serial; None if the register has no entry."""
        found = self._records.get(serial.text)
        if found is None:
            return None
        original = self._original(found)
        return StampView(
            serial=serial.text,
            state=found.state,
            summary=translate(f"stamp.{found.state}.explained", language),
            affixed_at=found.affixed_at,
            sha256_original=original.hex() if original else None,
        )

    def claim(self, claim: QrClaim, language: str) -> ClaimView:
        """Return the content of a claim with a valid signature, the verdict on it, and the register's entry for its serial."""
        stamp = self.stamp(claim.serial, language)
        verdict = _judged(claim, stamp)
        return ClaimView(
            verdict=verdict,
            summary=translate(f"claim.{verdict}.explained", language),
            serial=claim.serial.text,
            key_id=claim.key_id,
            sealed_at=claim.at,
            sha256_original_begins=claim.digest16.hex(),
            stamp=stamp,
        )


def _hashed(document: bytes, question: CheckQuestion) -> sealing.Work[tuple[bytes, CheckReport]]:
    """Return a `Work` that computes the SHA-256 and the report of a document, both in the same thread."""
    digest = hashlib.sha256(document).digest()
    return digest, (yield from sealing.verifying(question))


def _judged(claim: QrClaim, stamp: StampView | None) -> ClaimVerdict:
    """Return the verdict on a claim with a valid signature; `stamp` is the register's entry for its serial, or None."""
    if stamp is None or stamp.state != StampState.AFFIXED or stamp.sha256_original is None:
        return ClaimVerdict.UNKNOWN_SERIAL
    is_same = sealing.claim.matches(claim, bytes.fromhex(stamp.sha256_original))
    return ClaimVerdict.HOLDS if is_same else ClaimVerdict.SERIAL_MISMATCH


class VerificationService:
    """Checks documents, serials and claims for anybody."""

    def __init__(
        self,
        database: Database,
        issuers: Issuers,
        clock: Clock,
        process: ProcessSettings,
    ) -> None:
        self._database = database
        self._process = process
        self._issuers = issuers
        self._clock = clock
        self._checking = sealing.Slots(CHECKED_AT_ONCE)
        self._pool = sealing.Pool(slow=sealing.Pool())
        self._pictures = Pictures()

    async def check(
        self, document: bytes, language: str, client: str = "", quote: Quote = quoted
    ) -> VerificationView:
        """Check a document: its seal, and its serials against the register.

        Text from the document is passed through `quote` before it is put into a sentence.  `client` is the network or account,
        for the fair queue of long checks.  The document is hashed, read and judged in threads or processes, never on the event
        loop.  Refuses `DocumentTooLarge`, `ExaminationBusy` and `NotJudged`; for any other document the answer has a verdict.
        """
        judged = await self.judge(document, client)
        return (await self.registered([judged], language, quote))[0]

    async def judge(self, document: bytes, client: str) -> JudgedDocument:
        """Judge the seal of a document, without the register.  Refuses like `check`."""
        limit = sealing.CHECKED_BYTES_MAX
        if len(document) > limit:
            raise sealing.DocumentTooLarge(size_bytes=len(document), limit_bytes=limit)
        at = self._clock.now()
        work = _hashed(document, sealing.question(document, self._issuers, at))
        digest, report = await self._pool.finish(work, client, self._checking)
        is_specimen = not self._process.is_production
        return JudgedDocument(
            report, CheckReceipt(digest, len(document), at, self._process.url, is_specimen)
        )

    async def registered(
        self, judged: Sequence[JudgedDocument], language: str, quote: Quote = quoted
    ) -> list[VerificationView]:
        """Look up the serials of judged documents in the register, and return the final results."""
        register = await self.register({one for each in judged for one in each.serials})
        return [
            shown(each.report, *register.judge(each.report), language, each.examination, quote)
            for each in judged
        ]

    async def register(self, serials: Collection[str]) -> Register:
        """Look up these serials in the register; an empty collection needs no query."""
        if not serials:
            return Register({}, {})
        async with self._database.reading() as tx:
            return await Register.of(tx, serials)

    async def pictures(
        self, document: bytes, found: VerificationView, client: str
    ) -> VerdictPictures:
        """Return pictures of the stamped pages of the sealed revision; none if the file has no sealed revision."""
        if found.sealed is None:
            return VerdictPictures()
        return await self._pictures.of(document[: found.sealed.bytes], found.sealed.serials, client)

    async def sealed(self, document: bytes, client: str) -> bytes:
        """Return the sealed revision of a document.  Refuses `NoSealedRevision`, and what `check` refuses."""
        found = await self.check(document, "id", client)
        if found.sealed is None:
            raise NoSealedRevision(found.verdict)
        return document[: found.sealed.bytes]

    async def stamp(self, typed: str, language: str) -> StampView:
        """Return the public part of the register's entry for a typed serial.  Refuses `NotFound`."""
        serial = serial_in(typed)
        if serial is None:
            raise NotFound("not a serial")
        found = (await self.register([serial.text])).stamp(serial, language)
        if found is None:
            raise NotFound("no such serial")
        return found

    async def scan(self, photo: bytes, client: str) -> str:
        """Return serial and claim, unverified, in the first QR code of a stamp on a photo, as `SERIAL/CLAIM`.

        If the address in the code is not ours, `ELSEWHERE` is appended: other people who scan the code are led to that address.
        Refuses `NoCodeFound`, `CodeForeign`, `PhotoUnreadable`, `ExaminationBusy`.
        """
        texts = await self._pool.finish(sealing.scanning(photo), client, self._checking)
        if not texts:
            raise NoCodeFound("the photo contains no code")
        for text in texts:
            if code := self.code_in(text):
                return code
        raise CodeForeign("the code is not the code of a stamp")

    def code_in(self, text: str) -> str | None:
        """Return `SERIAL/CLAIM` from the text of a QR code, like `scan`; None if the text is not the code of a stamp."""
        found = _OF_A_STAMP.search(text)
        if found is None:
            return None
        is_ours = text.upper().startswith(f"{self._process.url}/C/".upper())
        return found[1].upper() + ("" if is_ours else ELSEWHERE)

    async def claim(self, scanned: str, language: str) -> ClaimView:
        """Return the content of a scanned QR code, and the register's answer about its serial.

        Refuses `ClaimMalformed`, `ClaimKeyUnknown`, `ClaimForged`.
        """
        claim = self.claim_of(scanned)
        return (await self.register([claim.serial.text])).claim(claim, language)

    def claim_of(self, scanned: str) -> QrClaim:
        """Return the claim in a scanned QR code after its signature was verified.  Refuses like `claim`."""
        return sealing.claim.read(scanned, self._issuers.claim_keys)

    def claim_keys(self) -> ClaimKeysView:
        """Return the public keys of claims, with which anybody can check claims offline."""
        current = self._issuers.current.claim_key
        current_id = current.id if current else None
        keys = self._issuers.claim_keys.items()
        return ClaimKeysView([_key(name, key, is_current=name == current_id) for name, key in keys])


def _key(name: str, key: Ed25519PublicKey, *, is_current: bool) -> ClaimKeyView:
    return ClaimKeyView(
        id=name,
        algorithm="Ed25519",
        public_key=b64encode(key.public_bytes_raw()).decode("ascii"),
        pem=key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii"),
        is_current=is_current,
    )
