"""Service of outage records: proposal, sealing, publication, sealed copies; each step in its own transaction."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from uuid import UUID

from cryptography.hazmat.primitives.serialization import Encoding

from meterai import orders, stamping
from meterai.accounts import NOBODY
from meterai.kit.actor import Actor, ActorKind
from meterai.kit.clock import Clock
from meterai.kit.ids import read, read_typed, show
from meterai.operator import SPECIMEN, OperatorSettings
from meterai.outages import papers, proposing, store
from meterai.outages.model import (
    AttemptNamesNoDocument,
    AttemptOutside,
    AttemptStamped,
    Outage,
    OutageReplaced,
    OutageUnknown,
    RecordWrong,
    TooManyOutageCopies,
)
from meterai.outages.papers import StampingTry
from meterai.outages.record import (
    OutageRecord,
    embedded,
    needed_for,
    signed,
)
from meterai.outages.rules import JOIN_MINUTES
from meterai.outages.settings import OutageSettings
from meterai.pages import paper
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx, Tx
from meterai.plumbing.messages import LANGUAGES
from meterai.plumbing.networks import Buckets, nested
from meterai.plumbing.readings import Watcher
from meterai.plumbing.signed import DocumentSigner
from meterai.plumbing.work.periodic import each
from meterai.sealing import Issuers
from meterai.stamping import StampingState

SIGNED = "json"  # name of the signed document; PDFs are `<language>.pdf`
AT_ONCE = 2  # records sealed concurrently; each takes a second of a processor
_REFILLS_SECONDS = 3_600.0
_SEALER = Actor(ActorKind.JOB, store.SEALING)


@dataclass(frozen=True, slots=True)
class _DueSealing:
    """A record to be sealed, as a due row of the periodic task; it belongs to no account (nil account)."""

    outage: Outage
    account: UUID = NOBODY

    @property
    def id(self) -> UUID:
        return self.outage.id


class OutageService:
    """Proposes, seals and shows outage records."""

    def __init__(
        self,
        database: Database,
        watchers: Callable[[], Sequence[Watcher]],
        signer: DocumentSigner,
        issuers: Issuers,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._watchers = watchers
        self._signer = signer
        self._issuers = issuers
        self._settings = settings
        self._clock = clock
        most = settings.of(OutageSettings).outage_copies_per_hour_per_network_max
        self._networks = Buckets(most, _REFILLS_SECONDS)

    # -- staff -------------------------------------------------------------------------------------

    async def propose(
        self,
        begin: datetime,
        end: datetime,
        *,
        incident: UUID | None,
        replaces: UUID | None,
        actor: Actor,
    ) -> Outage:
        """Fetch the readings from `begin` to before `end`, derive a proposal of an outage record, and store it.

        Refuses as `derived_from` and `keep` do.
        """
        by, now = self._settings.process.url, self._clock.now()
        outage, readings = await proposing.derived_from(self._watchers(), begin, end, by, now)
        outage = replace(outage, incident=incident, replaces=replaces, proposed_by=str(actor))
        return await proposing.keep(self._database, outage, readings, actor=actor)

    async def newest(self) -> Sequence[Outage]:
        """Return outage records in any state, sorted by the time that they cover, the latest first."""
        return await self._database.once(store.newest)

    async def one(self, outage: UUID) -> Outage:
        """Return one outage record in any state.  Refuses `OutageUnknown`."""
        return await self._database.once(proposing.needed, outage)

    # -- sealing -----------------------------------------------------------------------------------

    async def seal_confirmed(self) -> int:
        """Periodic task: sign and seal confirmed records; a record left by a crash is sealed in the next run."""
        due = await self._database.once(store.to_seal, AT_ONCE)
        rows = [_DueSealing(one) for one in due]
        return await each(
            self._database, store.SEALING, rows, self._seal_row, subject="id", at_once=AT_ONCE
        )

    async def _seal_row(self, due: _DueSealing) -> None:
        record = await self._record(due.outage)
        files = await asyncio.to_thread(self._files, record)
        await self._database.run(partial(self._keep_sealed, due.id, files))

    async def _record(self, outage: Outage) -> OutageRecord:
        """Return the content of a record, after deriving its findings again.

        Refuses `RecordWrong` if the stored findings differ, or if they name other watchers than those configured now.
        """
        assert outage.confirmed_at is not None, "only a confirmed record is sealed"
        found, process = outage.findings, self._settings.process
        known = {one.name: one.public_key.hex() for one in self._watchers()}
        if {one.name: one.public_key for one in found.watchers} != known:
            raise RecordWrong("the watchers of the record are not those of the file of watchers")
        files = await proposing.kept_readings(self._database, outage, process.url)
        return OutageRecord(
            record=outage.shown,
            by=found.installation,
            operator=self._settings.of(OperatorSettings).operator_name,
            begin=outage.begins_at,
            end=outage.ends_at,
            incident=show("inc", outage.incident) if outage.incident else "",
            replaces=show("out", outage.replaces) if outage.replaces else "",
            confirmed_at=outage.confirmed_at,
            confirmed_by_persons=2,
            specimen=not process.is_production,
            rules=found.rules,
            join_minutes=JOIN_MINUTES,
            needed_for=needed_for(),
            failed=found.failed,
            unmeasured=found.unmeasured,
            left_out=found.left_out,
            watchers=[embedded(one, files[one.name]) for one in found.watchers],
        )

    def _files(self, record: OutageRecord) -> Mapping[str, bytes]:
        """Return the files of a record by name: the signed document, and for each language a PDF to which that document is
        attached.
        """
        document = signed(record, self._signer).encode()
        within = paper.Attached(f"{record.record}.json", papers.JSON, document)
        return {SIGNED: document} | {
            f"{language}.pdf": papers.sealed(
                "title",
                papers.record_lines(record, language),
                language,
                self._issuers.current,
                at=self._clock.now(),
                mark=self._mark,
                attached=within,
            )
            for language in LANGUAGES
        }

    @property
    def _mark(self) -> str:
        return "" if self._settings.process.is_production else SPECIMEN

    async def _keep_sealed(self, outage: UUID, files: Mapping[str, bytes], tx: Tx) -> None:
        found = await store.locked(tx, outage)
        if found is None or found.is_public:  # another worker was faster
            return
        now = self._clock.now()
        await store.add_files(tx, outage, files, now)
        await store.sealed(tx, outage, now)
        await proposing.record(tx, outage, "outage_sealed", _SEALER, found.findings_sha256)

    # -- public ---------------------------------------------------------------------------------

    def keys(self) -> bytes:
        """Return the public key of signed records, and the certificates of seals, as PEM."""
        certificates = {*self._issuers.roots, *self._issuers.seal_certificates}
        texts = sorted(one.public_bytes(Encoding.PEM) for one in certificates)
        return b"".join([self._signer.public_pem(), *texts])

    async def public(self) -> Sequence[Outage]:
        """Return public outage records, sorted by the time that they cover, the latest first."""
        return await self._database.once(store.public)

    async def public_at(self, at: datetime) -> Outage | None:
        """Return the public record that covers a moment and was not replaced; None if no such record exists."""
        return await self._database.once(store.public_at, at)

    async def public_one(self, outage: UUID) -> tuple[Outage, Outage | None]:
        """Return a public record, and the record that replaced it or None.  Refuses `OutageUnknown`."""

        async def look(tx: ReadTx) -> tuple[Outage, Outage | None]:
            found = await store.one(tx, outage)
            if found is None or not found.is_public:
                raise OutageUnknown("no such public record")
            return found, await store.replacing(tx, outage)

        async with self._database.reading() as tx:
            return await look(tx)

    async def file(self, outage: UUID, name: str) -> bytes:
        """Return a file of a public record.  Refuses `OutageUnknown`."""
        await self.public_one(outage)
        content = await self._database.once(store.file, outage, name)
        if content is None:
            raise OutageUnknown("no such file")
        return content

    def take_turn(self, network: str) -> None:
        """Count a sealed copy against the hourly quota of the visitor's network.  Refuses `TooManyOutageCopies`."""
        if not self._networks.take(nested(network)):
            raise TooManyOutageCopies("the limit of copies of a network is reached")

    async def attempt_of(self, account: UUID, about: str) -> StampingTry:
        """Return a person's attempt to stamp from our database: an undelivered stamping, or an order that has undelivered ones.

        Refuses `NotFound`, `AttemptStamped`, `AttemptNamesNoDocument`.
        """
        async with self._database.reading() as tx:
            if (number := read_typed("stg", about)) is not None:
                found = [await stamping.load(tx, account, number)]
                at = found[0].requested_at
            else:
                order = await orders.load(tx, account, read("ord", about))
                found = await stamping.stampings_of_orders(tx, account, order.id)
                at = order.placed_at
        if not found:
            raise AttemptNamesNoDocument("the order has no documents")
        failed = [one for one in found if one.state != StampingState.DELIVERED]
        if not failed:
            raise AttemptStamped("the documents of the order are stamped")
        hashes = [one.sha256_original.hex() for one in failed]
        return StampingTry(hashes, at, is_in_books=True, about=about)

    async def copy(self, outage: Outage, attempt: StampingTry, language: str) -> bytes:
        """Return a sealed copy of a record about one attempt; nothing is stored.

        Refuses `OutageReplaced`, `AttemptOutside`, a `SealingUnavailable`.
        """
        if later := await self._database.once(store.replacing, outage.id):
            raise OutageReplaced(later.shown)
        if not any(outage.failed_at(act, attempt.at) for act in papers.NEEDED_TO_STAMP):
            raise AttemptOutside(attempt.at)
        sha256 = await self._database.once(store.sha256_of_file, outage.id, SIGNED)
        name = self._settings.of(OperatorSettings).operator_name
        lines = papers.copy_lines(
            outage, attempt, sha256, self._settings.process.url, name, language
        )
        issuer, now = self._issuers.current, self._clock.now()
        return await asyncio.to_thread(
            partial(papers.sealed, "copy.title", lines, language, issuer, at=now, mark=self._mark)
        )
