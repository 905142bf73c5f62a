"""Queries of verification."""

import asyncio
from collections.abc import Sequence
from datetime import datetime

import msgspec
from cryptography import x509

from meterai import sealing, stamping, stamps
from meterai.kit.clock import Clock
from meterai.kit.refusal import NotFound
from meterai.kit.serial import Serial
from meterai.plumbing.config import Settings
from meterai.plumbing.database import Database, Tx
from meterai.plumbing.messages import in_words, say
from meterai.sealing import Check, Report
from meterai.stamps import StampState
from meterai.verification.model import FinalVerdict


class CheckView(msgspec.Struct, frozen=True):
    """One check, and in a sentence what it found."""

    name: str
    passed: bool
    detail: str


class VerificationView(msgspec.Struct, frozen=True, kw_only=True):
    """What checking a document found."""

    verdict: str
    summary: str
    serials: list[str]
    sealed_at: datetime | None
    sha256_original: str | None
    checks: list[CheckView]


class StampView(msgspec.Struct, frozen=True, kw_only=True):
    """What anybody may know of a serial: nothing personal."""

    serial: str
    state: str
    affixed_at: datetime | None
    sha256_original: str | None


def _sentence(check: Check, language: str) -> str:
    outcome = "passed" if check.passed else "failed"
    return say(f"check.{check.name}.{outcome}", language, **in_words(check.facts, language))


def shown(report: Report, verdict: str, checks: Sequence[Check], language: str) -> VerificationView:
    """A report in words."""
    return VerificationView(
        verdict=verdict,
        summary=say(f"verdict.{verdict}.explained", language),
        serials=list(report.serials),
        sealed_at=report.sealed_at,
        sha256_original=report.sha256_original.hex() if report.sha256_original else None,
        checks=[CheckView(one.name, one.passed, _sentence(one, language)) for one in checks],
    )


async def _registered(tx: Tx, report: Report) -> tuple[FinalVerdict, Check]:
    """Ask the register about every serial of a document whose seal is good."""
    for text, on in zip(report.serials, report.originals, strict=True):
        facts: dict[str, object] = {"serial": text}
        found = await stamps.look_up(tx, Serial(text))
        if found is None or found.state != StampState.AFFIXED:
            return FinalVerdict.UNKNOWN_SERIAL, Check("register", passed=False, facts=facts)
        if await stamping.original_of(tx, found.account, found.stamping) != on:
            return FinalVerdict.SERIAL_MISMATCH, Check("binding", passed=False, facts=facts)
    return FinalVerdict.GENUINE, Check("register", passed=True)


class VerificationDesk:
    """Checks documents and serials for anybody."""

    def __init__(
        self,
        database: Database,
        roots: Sequence[x509.Certificate],
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._roots = tuple(roots)
        self._settings = settings
        self._clock = clock
        self._checking = asyncio.Semaphore(settings.seals_at_once)

    async def check(self, document: bytes, language: str) -> VerificationView:
        """Check a document: its seal, and its serials against the register.

        Refuses `DocumentTooLarge`; anything else has a verdict.
        """
        limit = sealing.CHECKED_BYTES_MAX
        if len(document) > limit:
            raise sealing.DocumentTooLarge(size_bytes=len(document), limit_bytes=limit)
        async with self._checking:
            report = await asyncio.to_thread(
                sealing.verify, document, self._roots, at=self._clock.now()
            )
        verdict, checks = FinalVerdict(report.verdict), list(report.checks)
        if verdict == FinalVerdict.GENUINE:
            async with self._database.transaction() as tx:
                verdict, check = await _registered(tx, report)
            checks.append(check)
        return shown(report, verdict, checks, language)

    async def stamp(self, typed: str) -> StampView:
        """What anybody may know of a serial.  Refuses `NotFound`."""
        try:
            serial = Serial.typed(typed)
        except ValueError:
            raise NotFound("not a serial") from None
        async with self._database.transaction() as tx:
            found = await stamps.look_up(tx, serial)
            if found is None:
                raise NotFound("no such serial")
            original = await stamping.original_of(tx, found.account, found.stamping)
        return StampView(
            serial=serial.text,
            state=found.state,
            affixed_at=found.affixed_at,
            sha256_original=original.hex() if original else None,
        )
