"""Evidence of serials, made on request."""

import asyncio

from meterai.commands import Timeline
from meterai.kit.clock import Clock
from meterai.kit.serial import Serial
from meterai.plumbing.config import ProcessSettings
from meterai.plumbing.db.database import Database
from meterai.plumbing.signed import DocumentSigner
from meterai.regulator.evidence import SerialEvidence, gather, packed
from meterai.sealing import Issuers


class EvidenceService:
    """Makes evidence of serials of this installation."""

    def __init__(
        self,
        database: Database,
        tell: Timeline,
        signer: DocumentSigner,
        issuers: Issuers,
        process: ProcessSettings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._tell = tell
        self._signer = signer
        self._issuers = issuers
        self._process = process
        self._clock = clock

    async def gathered(self, serial: Serial) -> SerialEvidence:
        """Gather the records of a serial. Refuses `NotFound`."""
        async with self._database.reading() as tx:
            return await gather(tx, self._tell, serial)

    async def packed(self, serial: Serial) -> bytes:
        """Return the evidence of a serial as a signed archive. Refuses `NotFound`."""
        found, process = await self.gathered(serial), self._process
        return await asyncio.to_thread(
            packed,
            found,
            self._signer,
            self._issuers,
            at=self._clock.now(),
            by=process.url,
            specimen=not process.is_production,
        )
