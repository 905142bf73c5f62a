"""List of a month: the annexes of a collector's tax return, its file formats, and the feed for the tax office.

Annex II has the documents that were stamped in the month. Annex III has the documents on which duty fell due and that could not
be stamped: failed stampings, and documents that the collector reports. A list is not stored: it is read from the stampings at
each request, so it cannot differ from them.
"""

import gzip
import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import ExitStack
from datetime import date, datetime
from tempfile import SpooledTemporaryFile
from typing import IO, NamedTuple
from uuid import UUID

import msgspec

from meterai.collectors import store
from meterai.collectors.model import (
    DEPOSIT_CODE,
    Collector,
    ListedStamping,
    MonthNotNil,
    MonthRuns,
    MonthStanding,
    Unstamped,
)
from meterai.collectors.service import CollectorMonth, CollectorService, load
from meterai.kit.clock import WIB, Clock
from meterai.kit.days import Month
from meterai.kit.ids import show
from meterai.kit.money import STAMP_DUTY
from meterai.kit.refusal import Refusal
from meterai.plumbing.config import Settings
from meterai.plumbing.db.database import Database, ReadTx
from meterai.plumbing.keyring import Keyring
from meterai.plumbing.messages import translate
from meterai.plumbing.spreadsheets import BYTE_ORDER_MARK, Cell, Sheet, csv_lines, xlsx_book
from meterai.regulator import signer_of
from meterai.stamping import why_refused

NIL_KIND = "meterai nil return"  # kinds of signed documents
FEED_KIND = "meterai collectors"
SECONDS_MAX = 60  # time limit of a database query over a large month
XLSX_DOCUMENTS_MAX = (
    100_000  # a workbook is made in memory; a longer list is available as CSV or JSON
)
IN_MEMORY_BYTES_MAX = 1 << 20  # of a list; a larger list is kept in an unnamed temporary file
PIECE_BYTES = 1 << 16
STAMPED, UNSTAMPED = "II", "III"


class ListTooLong(Refusal):
    """The workbook would have too many documents; the same list is available as CSV and JSON."""

    code = "collector_list_too_long"
    status = 422

    def __init__(self, *, documents_max: int) -> None:
        super().__init__(f"more than {documents_max} documents")
        self.documents_max = documents_max


class ListedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """A document in the list of a month.  Amounts in whole rupiah.

    `annex` is `II` for a stamped document, and `III` for a document that could not be stamped, with the `reason`.  A fact
    that nobody stated is null: documents stamped before the account was a collector may lack facts.
    """

    annex: str
    type: str | None
    number: str | None
    date: date | None
    value: int | None
    party_name: str | None
    identity: str | None
    identity_number: str | None
    stamps: int
    duty: int
    serials: list[str]
    at: datetime
    stamping: str | None
    file: str | None
    reason: str | None


class MonthListView(msgspec.Struct, frozen=True, kw_only=True):
    """The list of a month (WIB).  Amounts in whole rupiah.

    `stamped` is the number of stamped documents, `stamps` the number of their stamps, `duty` the duty of these stamps.
    `unstamped` is annex III.  `month.due` is the amount to deposit to the treasury, with the tax code `deposit_code`.
    """

    collector: str
    npwp: str
    nitku: str
    month: CollectorMonth
    deposit_code: str
    stamped: int
    stamps: int
    duty: int
    unstamped: list[ListedDocument]


def _stamped(one: ListedStamping, annex: str, reason: str | None) -> ListedDocument:
    return ListedDocument(
        annex=annex,
        type=one.type,
        number=one.number,
        date=one.dated,
        value=one.value,
        party_name=one.party_name,
        identity=one.identity_kind,
        identity_number=one.identity_number,
        stamps=one.quantity,
        duty=one.quantity * STAMP_DUTY,
        serials=one.serials if annex == STAMPED else [],
        at=one.at,
        stamping=show("stg", one.stamping),
        file=one.document,
        reason=reason,
    )


def _listed_unstamped(one: Unstamped) -> ListedDocument:
    return ListedDocument(
        annex=UNSTAMPED,
        type=one.type,
        number=one.number,
        date=one.dated,
        value=one.value,
        party_name=one.party_name,
        identity=one.identity_kind,
        identity_number=one.identity_number,
        stamps=1,
        duty=STAMP_DUTY,
        serials=[],
        at=one.happened_at,
        stamping=None,
        file=None,
        reason=one.reason,
    )


async def stamped_of(tx: ReadTx, account: UUID, month: Month) -> list[ListedDocument]:
    """Return annex II of a month: the documents that were stamped."""
    await tx.allow(SECONDS_MAX)
    found = await store.stampings(tx, account, month.begins, month.ends, "delivered")
    return [_stamped(one, STAMPED, None) for one in found]


async def unstamped_of(
    tx: ReadTx, account: UUID, month: Month, language: str
) -> list[ListedDocument]:
    """Return annex III of a month: the documents that could not be stamped, with the reasons in a language."""
    failed = await store.stampings(tx, account, month.begins, month.ends, "failed")
    found = [_stamped(one, UNSTAMPED, why_refused(str(one.refused), language)) for one in failed]
    found += [_listed_unstamped(one) for one in await store.unstamped(tx, account, month.first)]
    return sorted(found, key=lambda one: one.at)


def _cells(number: int, one: ListedDocument) -> list[Cell]:
    return [
        one.annex,
        number,
        one.type or "",
        one.number or "",
        str(one.date or ""),
        "" if one.value is None else one.value,
        one.party_name or "",
        one.identity or "",
        one.identity_number or "",
        one.stamps,
        one.duty,
        " ".join(one.serials),
        one.at.astimezone(WIB).strftime("%Y-%m-%d %H:%M:%S"),
        one.file or "",
        one.reason or "",
    ]


def _head(language: str) -> list[str]:
    return translate("collector.columns", language).split("|")


def as_csv(found: Sequence[ListedDocument], language: str) -> bytes:
    """Return both annexes as one CSV file."""
    rows = [_cells(number, one) for number, one in enumerate(found, 1)]
    return (BYTE_ORDER_MARK + csv_lines([_head(language), *rows], language)).encode()


def as_json(found: Sequence[ListedDocument], language: str) -> bytes:
    """Return both annexes as one JSON array."""
    del language
    return msgspec.json.encode(found)


def as_xlsx(found: Sequence[ListedDocument], language: str) -> bytes:
    """Return a workbook (XLSX) with a sheet for each annex. Refuses `ListTooLong`."""
    if len(found) > XLSX_DOCUMENTS_MAX:
        raise ListTooLong(documents_max=XLSX_DOCUMENTS_MAX)
    sheets = []
    for annex in (STAMPED, UNSTAMPED):
        rows = [
            _cells(number, one)
            for number, one in enumerate((one for one in found if one.annex == annex), 1)
        ]
        name = translate(f"collector.annex.{annex}", language)
        sheets.append(Sheet(name, _head(language), rows, (10, 8, 8), "#,##0"))
    return xlsx_book(sheets)


Writer = Callable[[Sequence[ListedDocument], str], bytes]


async def _pieces(kept: IO[bytes]) -> AsyncIterator[bytes]:
    with kept:
        while piece := kept.read(PIECE_BYTES):
            yield piece


class Feed(NamedTuple):
    """The feed of a month for the tax office: a compressed file with a line for each document of each collector, and its signed
    manifest.
    """

    name: str
    packed: bytes
    manifest_name: str
    manifest: str
    rows: int


class MonthLists:
    """Makes the monthly lists of collectors' documents, signed statements that a month has nothing to report, and the feed for
    the tax office.
    """

    def __init__(
        self,
        database: Database,
        collectors: CollectorService,
        keyring: Keyring,
        settings: Settings,
        clock: Clock,
    ) -> None:
        self._database = database
        self._collectors = collectors
        self._signer = signer_of(keyring)
        self._process = settings.process
        self._clock = clock

    async def view(self, account: UUID, month: Month, language: str) -> MonthListView:
        """Return the counts and duty of the documents stamped in a month, the state of the month, and its annex III.

        Refuses `NoCollector`, `NotFound`.
        """
        async with self._database.reading() as tx:
            found = await load(tx, account)
            view = await self._collectors.month(tx, found, month)
            stamped = await stamped_of(tx, account, month)
            return MonthListView(
                collector=found.name,
                npwp=found.npwp,
                nitku=found.nitku,
                month=view,
                deposit_code=DEPOSIT_CODE,
                stamped=len(stamped),
                stamps=sum(one.stamps for one in stamped),
                duty=sum(one.duty for one in stamped),
                unstamped=await unstamped_of(tx, account, month, language),
            )

    async def written(
        self, account: UUID, month: Month, language: str, write: Writer
    ) -> AsyncIterator[bytes]:
        """Return the file of a list; the whole file is made before its first byte is sent. Refuses `NoCollector`, `NotFound`,
        `ListTooLong`.
        """
        async with self._database.reading() as tx:
            await self._collectors.month(tx, await load(tx, account), month)
            found = await stamped_of(tx, account, month)
            found += await unstamped_of(tx, account, month, language)
        with ExitStack() as stack:
            kept = stack.enter_context(SpooledTemporaryFile(max_size=IN_MEMORY_BYTES_MAX))
            kept.write(write(found, language))
            kept.seek(0)
            stack.pop_all()  # the file stays open: `_pieces` closes it
            return _pieces(kept)

    async def nil(self, account: UUID, month: Month) -> str:
        """Return a signed statement that a collector has nothing to report for a month. Refuses `NoCollector`, `NotFound`,
        `MonthRuns`, `MonthNotNil`.
        """
        found = await self.view(account, month, "id")
        view = found.month
        if view.state == MonthStanding.RUNNING:
            raise MonthRuns("the month has not ended")
        if found.stamped or found.unstamped or view.drawn > view.returned or view.due:
            raise MonthNotNil("the month has documents to report")
        return self._signed(
            NIL_KIND,
            {
                "collector": found.collector,
                "npwp": found.npwp,
                "nitku": found.nitku,
                "month": str(month),
                "documents": 0,
                "duty": 0,
            },
        )

    def _signed(self, kind: str, facts: dict[str, object]) -> str:
        made = {
            "by": self._process.url,
            "specimen": not self._process.is_production,
            "at": self._clock.now().replace(microsecond=0).isoformat(),
        }
        return self._signer.sign(kind, made | facts)

    async def feed(self, month: Month) -> Feed:
        """Return the feed of a month for the tax office. Refuses `MonthRuns`."""
        if month >= Month.of(self._collectors.today()):
            raise MonthRuns("the month has not ended")
        lines: list[bytes] = []
        sums: list[dict[str, object]] = []
        async with self._database.reading() as tx:
            for one in await store.collectors(tx):
                documents = await stamped_of(tx, one.account, month)
                documents += await unstamped_of(tx, one.account, month, "id")
                lines += [_line(one, document) for document in documents]
                sums.append(await self._sums(tx, one, month, documents))
        packed = gzip.compress(b"".join(lines), 6, mtime=0)
        name = f"collectors-{month}.jsonl.gz"
        manifest = self._signed(
            FEED_KIND,
            {
                "month": str(month),
                "file": name,
                "rows": len(lines),
                "bytes": len(packed),
                "sha256": hashlib.sha256(packed).hexdigest(),
                "collectors": sums,
            },
        )
        return Feed(name, packed, f"collectors-{month}.json", manifest, len(lines))

    async def _sums(
        self, tx: ReadTx, one: Collector, month: Month, documents: Sequence[ListedDocument]
    ) -> dict[str, object]:
        due = [item for item in await store.months(tx, one.account) if item.month == month.first]
        stamped = [item for item in documents if item.annex == STAMPED]
        ntpns = [
            item.ntpn
            for item in await store.deposits(tx, one.account)
            if item.month == month.first and item.state == "confirmed"
        ]
        return {
            "npwp": one.npwp,
            "nitku": one.nitku,
            "name": one.name,
            "stamped": len(stamped),
            "stamps": sum(item.stamps for item in stamped),
            "duty": sum(item.duty for item in stamped),
            "unstamped": len(documents) - len(stamped),
            "drawn": sum(item.drawn - item.returned for item in due),
            "deposited": sum(item.deposited for item in due),
            "ntpn": ntpns,
        }


def _line(collector: Collector, one: ListedDocument) -> bytes:
    """Return one line of the feed: the collector, and the facts of a document that the law demands, without file name."""
    fields = msgspec.to_builtins(one)
    for own in ("file", "stamping"):
        del fields[own]
    return msgspec.json.encode({"npwp": collector.npwp, "nitku": collector.nitku} | fields) + b"\n"
