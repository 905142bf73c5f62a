"""Operations of a client, by subject.

The argument `key` of a command is its Idempotency-Key: if you choose a key and keep it, the same call after a crash returns
the result of the first call. Without it each call gets a new key, which is the same in all its tries.
"""

import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Literal
from urllib.parse import quote

import msgspec

from meterai_client import models
from meterai_client.calling import NOTHING, Call, Steps, poll
from meterai_client.contents import Body as _Body
from meterai_client.contents import Content, File, Into, Progress, Target, file_of, form_of, json_of
from meterai_client.errors import NotExecuted, NotStamped, Refused
from meterai_client.operations import Pages, R, Resource, listing, operation, query_of
from meterai_client.placing import Facts, Placement, Row, plain, plain_facts, plain_row

_PAGE = dict[str, msgspec.Raw]
_PDF = "application/pdf"
_BATCH_ENDED = frozenset({"finished", "cancelled"})
_UNDER_WAY = frozenset({"placed", "paid"})
_NOT_YET_STAMPED = frozenset({"waiting", "reserved"})


def _with_key(key: str | None, **more: str | None) -> dict[str, str]:
    given = {name.replace("_", "-"): value for name, value in more.items() if value is not None}
    return {"Idempotency-Key": key or str(uuid.uuid4())} | given


def _labels(
    reference: str | None, metadata: Mapping[str, str] | None
) -> Sequence[tuple[str, str | None]]:
    """Return your labels (reference and metadata) as fields of a form."""
    return [
        ("reference", reference),
        ("metadata", None if metadata is None else json.dumps(dict(metadata))),
    ]


def _file(document: Content | tuple[str, Content]) -> File:
    """Return a document, or a pair of name and document, as a file."""
    return file_of(document[1], document[0]) if isinstance(document, tuple) else file_of(document)


def _part(text: str) -> str:
    return quote(text, safe="")


class Orders(Resource[R]):
    """Orders of stamps."""

    @operation
    def place(
        self,
        quantity: int,
        *,
        payment_method: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
        seller: str | None = None,
        seller_fee: int | None = None,
        turn: str | None = None,
        key: str | None = None,
    ) -> Steps[models.Order]:
        """Order stamps. `payment` of the answer has the instructions to pay. `turn` is your turn in the line before buying.
        `seller` is the name of the sales page of a distributor, whose fee is added to the price; if the fee is not
        `seller_fee`, the order is refused.
        """
        body = json_of(
            {
                "quantity": quantity,
                "payment_method": payment_method,
                "reference": reference,
                "metadata": metadata,
                "seller": seller,
                "seller_fee": seller_fee,
            }
        )
        headers = _with_key(key, Waiting_Turn=turn)
        return self._send(Call("POST", "/v1/orders", models.Order, headers=headers, body=body))

    @operation
    def place_documents(
        self,
        documents: Sequence[Content | tuple[str, Content]],
        placements: Placement | Sequence[Placement | Sequence[Placement]],
        *,
        facts: Sequence[Facts] | None = None,
        payment_method: str | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
        seller: str | None = None,
        seller_fee: int | None = None,
        turn: str | None = None,
        key: str | None = None,
        progress: Progress | None = None,
    ) -> Steps[models.OrderedDocuments]:
        """Order the stamping of documents, with one payment for all. The documents are stamped when the order is paid. A
        document is its content, or a pair of name and content. A single placement applies to all documents; a sequence has
        an entry for each document, with one placement or several. `facts` has the facts of each document; for `seller` see
        `place`.
        """
        wanted = (
            plain(placements)
            if isinstance(placements, Placement)
            else [plain(one) for one in placements]
        )
        fields: list[tuple[str, str | File | None]] = [
            ("document", _file(one)) for one in documents
        ]
        body = form_of(
            [
                *fields,
                ("placements", json.dumps(wanted)),
                (
                    "facts",
                    None if facts is None else json.dumps([plain_facts(one) for one in facts]),
                ),
                ("payment_method", payment_method),
                ("seller", seller),
                ("seller_fee", None if seller_fee is None else str(seller_fee)),
                *_labels(reference, metadata),
            ]
        )
        return self._send(
            Call(
                "POST",
                "/v1/orders/documents",
                models.OrderedDocuments,
                headers=_with_key(key, Waiting_Turn=turn),
                body=body,
                progress=progress,
            )
        )

    @operation
    def get(self, order_id: str) -> Steps[models.Order]:
        """Return an order."""
        return self._get(order_id)

    def _get(self, order_id: str) -> Steps[models.Order]:
        return self._send(Call("GET", f"/v1/orders/{_part(order_id)}", models.Order))

    @listing
    def list(
        self, *, reference: str | None = None, page_size: int | None = None
    ) -> Pages[models.Order]:
        """List your orders, newest first."""
        call = Call("GET", "/v1/orders", _PAGE, query_of(limit=page_size, reference=reference))
        return Pages(call, "orders", models.Order, self._retrying)

    @operation
    def pay_by(self, order_id: str, payment_method: str) -> Steps[models.Order]:
        """Change the payment method of an unpaid order."""
        path = f"/v1/orders/{_part(order_id)}/pay-by"
        body = json_of({"payment_method": payment_method})
        return self._send(Call("POST", path, models.Order, body=body))

    @operation
    def withdraw(self, order_id: str) -> Steps[models.Order]:
        """Withdraw an unpaid order."""
        return self._send(Call("POST", f"/v1/orders/{_part(order_id)}/withdraw", models.Order))

    @operation
    def wait(self, order_id: str, *, timeout_seconds: float = 900.0) -> Steps[models.Order]:
        """Wait until an order is executed.

        Raises `NotExecuted` if the order ends without being executed, and `StillUnderWay` if it has not ended
        in time.
        """
        order = yield from poll(
            lambda: self._get(order_id),
            lambda one: one.state not in _UNDER_WAY,
            f"order {order_id} is not executed",
            timeout_seconds=timeout_seconds,
            retrying=self._retrying,
        )
        if order.state != "executed":
            raise NotExecuted(order)
        return order


class Stampings(Resource[R]):
    """Stampings: documents that get their stamps."""

    @operation
    def stamp(
        self,
        document: Content,
        placement: Placement | Sequence[Placement],
        *,
        name: str | None = None,
        facts: Facts | None = None,
        reference: str | None = None,
        metadata: Mapping[str, str] | None = None,
        key: str | None = None,
        progress: Progress | None = None,
    ) -> Steps[models.Stamping]:
        """Stamp a PDF with stamps of the account. `progress` may be called in another thread."""
        body = form_of(
            [
                ("document", file_of(document, name)),
                ("placement", json.dumps(plain(placement))),
                ("facts", None if facts is None else json.dumps(plain_facts(facts))),
                *_labels(reference, metadata),
            ]
        )
        call = Call(
            "POST",
            "/v1/stampings",
            models.Stamping,
            headers=_with_key(key),
            body=body,
            progress=progress,
        )
        return self._send(call)

    @operation
    def get(self, stamping_id: str) -> Steps[models.Stamping]:
        """Return a stamping with its state."""
        return self._get(stamping_id)

    def _get(self, stamping_id: str) -> Steps[models.Stamping]:
        return self._send(Call("GET", f"/v1/stampings/{_part(stamping_id)}", models.Stamping))

    @listing
    def list(
        self,
        *,
        state: str | None = None,
        reference: str | None = None,
        sha256: str | None = None,
        since: datetime | None = None,
        page_size: int | None = None,
    ) -> Pages[models.Stamping]:
        """List your stampings, newest first; a stamping must match all given filters. `sha256` is the hash of the original,
        `since` has a time zone.
        """
        query = query_of(
            limit=page_size,
            state=state,
            reference=reference,
            document=sha256,
            since=None if since is None else since.isoformat(),
        )
        call = Call("GET", "/v1/stampings", _PAGE, query)
        return Pages(call, "stampings", models.Stamping, self._retrying)

    @operation
    def wait(self, stamping_id: str, *, timeout_seconds: float = 900.0) -> Steps[models.Stamping]:
        """Wait until a document is stamped.

        Raises `NotStamped` if the stamping failed, and `StillUnderWay` if it has not ended in time.
        """
        stamping = yield from poll(
            lambda: self._get(stamping_id),
            lambda one: one.state not in _NOT_YET_STAMPED,
            f"stamping {stamping_id} is not delivered",
            timeout_seconds=timeout_seconds,
            retrying=self._retrying,
        )
        if stamping.state != "delivered":
            raise NotStamped(stamping)
        return stamping

    @operation
    def download(self, stamping: models.Stamping | str, into: Into) -> Steps[models.Downloaded]:
        """Download the stamped document into a file. If `stamping` is a `Stamping`, the hash of the file is
        compared with the hash in it. Raises `DownloadDamaged` if they differ.
        """
        sha256 = stamping.sha256_stamped if isinstance(stamping, models.Stamping) else None
        return self._file(stamping, "document", Target(into, sha256))

    @operation
    def download_delta(
        self, stamping: models.Stamping | str, into: Into
    ) -> Steps[models.Downloaded]:
        """Download the delta into a file. Appended to your copy of the original, it makes the stamped document."""
        return self._file(stamping, "delta", Target(into))

    def _file(
        self, stamping: models.Stamping | str, what: str, target: Target
    ) -> Steps[models.Downloaded]:
        number = stamping.id if isinstance(stamping, models.Stamping) else stamping
        path = f"/v1/stampings/{_part(number)}/{what}"
        return self._send(Call("GET", path, models.Downloaded, target=target))

    @operation
    def balance(self) -> Steps[models.Balance]:
        """Return the numbers of stamps of the account: free, held and affixed."""
        answer = yield from self._send(Call("GET", "/v1/balance", models.BalanceAnswer))
        return answer.stamps


class Verifications(Resource[R]):
    """Checks, which need no key."""

    @operation
    def check(
        self, document: Content, *, turn: str | None = None, progress: Progress | None = None
    ) -> Steps[models.Verification]:
        """Check a file."""
        return self._send(self._given("", document, models.Verification, turn, progress))

    @operation
    def sealed(
        self,
        document: Content,
        into: Into,
        *,
        turn: str | None = None,
        progress: Progress | None = None,
    ) -> Steps[models.Downloaded]:
        """Write the sealed revision of `document`, which is the file without later additions, into another file.

        Refused as `no_sealed_revision` unless the verdict of the file is good.
        """
        target = Target(into)
        return self._send(
            self._given("/sealed", document, models.Downloaded, turn, progress, target)
        )

    def _given(
        self,
        path: str,
        document: Content,
        answer: type[Any],
        turn: str | None,
        progress: Progress | None,
        target: Target | None = None,
    ) -> Call[Any]:
        headers = {} if turn is None else {"Waiting-Turn": turn}
        body = _Body(_PDF, [file_of(document)])
        return Call(
            "POST", f"/v1/verifications{path}", answer,
            headers=headers, body=body, target=target, progress=progress,
        )  # fmt: skip

    @operation
    def check_many(
        self,
        documents: Sequence[Content | tuple[str, Content]] = (),
        *,
        serials: Sequence[str] = (),
        claims: Sequence[str] = (),
        turn: str | None = None,
        progress: Progress | None = None,
    ) -> Steps[list[models.CheckRow]]:
        """Check PDFs and zip archives of them, serials, and codes of stamps; return a row for each, in this order."""
        asked = [{"serial": one} for one in serials] + [{"claim": one} for one in claims]
        lines = b"".join(msgspec.json.encode(one) + b"\n" for one in asked)
        files = [_file(one) for one in documents] + (
            [file_of(lines, "asked.jsonl")] if asked else []
        )
        headers = {} if turn is None else {"Waiting-Turn": turn}
        call = Call(
            "POST", "/v1/verifications/batch", models.CheckRows,
            headers=headers, body=form_of([("document", one) for one in files]), progress=progress,
        )  # fmt: skip
        answer = yield from self._send(call)
        return answer.rows

    @operation
    def serial(self, serial: str) -> Steps[models.Stamp]:
        """Return the record of a serial."""
        return self._send(Call("GET", f"/v1/stamps/{_part(serial)}", models.Stamp))

    @operation
    def claim(self, serial: str, claim: str) -> Steps[models.Claim]:
        """Return the facts in the QR code of a stamp; serial and claim are the last two parts of the address in the code."""
        return self._send(Call("GET", f"/v1/claims/{_part(serial)}/{_part(claim)}", models.Claim))

    @operation
    def claim_keys(self) -> Steps[list[models.ClaimKey]]:
        """Return the public keys that verify the signatures of QR codes; with them anybody can check a code offline."""
        answer = yield from self._send(Call("GET", "/v1/claim-keys", models.ClaimKeys))
        return answer.keys


class Batches(Resource[R]):
    """Batches of up to ten thousand documents; a row that fails does not stop other rows.

    Make one, send files and rows in any order and as often as you like, start it, wait, download the results. After an
    interruption send everything again: files and rows that came before are recognized.
    """

    @operation
    def create(
        self, reference: str | None = None, *, key: str | None = None
    ) -> Steps[models.Batch]:
        """Make an empty batch. `reference` is unique among the batches of an account."""
        body = json_of({"reference": reference})
        return self._send(
            Call("POST", "/v1/batches", models.Batch, headers=_with_key(key), body=body)
        )

    @operation
    def get(self, batch_id: str) -> Steps[models.Batch]:
        """Return a batch: its state, the number of its rows in each state, its stamps, and the order that it waits for."""
        return self._get(batch_id)

    def _get(self, batch_id: str) -> Steps[models.Batch]:
        return self._send(Call("GET", _batch(batch_id), models.Batch))

    @listing
    def list(
        self, *, reference: str | None = None, page_size: int | None = None
    ) -> Pages[models.Batch]:
        """List your batches, newest first."""
        call = Call("GET", "/v1/batches", _PAGE, query_of(limit=page_size, reference=reference))
        return Pages(call, "batches", models.Batch, self._retrying)

    @operation
    def add_file(
        self,
        batch_id: str,
        document: Content,
        *,
        name: str | None = None,
        progress: Progress | None = None,
    ) -> Steps[models.BatchFiles]:
        """Add one PDF under its name. The answer has its outcome."""
        file = file_of(document, name)
        path = f"{_batch(batch_id)}/files/{_part(file.name)}"
        return self._send(
            Call("PUT", path, models.BatchFiles, body=_Body(_PDF, [file]), progress=progress)
        )

    @operation
    def add_files(
        self,
        batch_id: str,
        documents: Sequence[Content | tuple[str, Content]],
        *,
        progress: Progress | None = None,
    ) -> Steps[models.BatchFiles]:
        """Add several PDFs, or zip archives of PDFs, at most 128 MiB at once. The answer has the outcome of each file."""
        body = form_of([("document", _file(one)) for one in documents])
        return self._send(
            Call(
                "POST", f"{_batch(batch_id)}/files", models.BatchFiles, body=body, progress=progress
            )
        )

    @operation
    def add_zip(
        self, batch_id: str, archive: Content, *, progress: Progress | None = None
    ) -> Steps[models.BatchFiles]:
        """Add the PDFs of a zip archive, at most 128 MiB."""
        body = _Body("application/zip", [file_of(archive)])
        return self._send(
            Call(
                "POST", f"{_batch(batch_id)}/files", models.BatchFiles, body=body, progress=progress
            )
        )

    @operation
    def add_rows(self, batch_id: str, rows: Iterable[Row]) -> Steps[models.RowsTaken]:
        """Add rows. Wrong rows are listed with their lines, and stop no other row."""
        lines = b"".join(msgspec.json.encode(plain_row(one)) + b"\n" for one in rows)
        return self._rows(batch_id, _Body("application/jsonl", [lines]))

    @operation
    def add_csv(self, batch_id: str, table: Content) -> Steps[models.RowsTaken]:
        """Add rows as a CSV table, in the form in which Excel writes it."""
        return self._rows(batch_id, _Body("text/csv", [file_of(table)]))

    @operation
    def add_lines(self, batch_id: str, lines: Content) -> Steps[models.RowsTaken]:
        """Add rows as JSON lines, one object on each line."""
        return self._rows(batch_id, _Body("application/jsonl", [file_of(lines)]))

    def _rows(self, batch_id: str, body: _Body) -> Steps[models.RowsTaken]:
        return self._send(Call("POST", f"{_batch(batch_id)}/rows", models.RowsTaken, body=body))

    @operation
    def start(
        self,
        batch_id: str,
        *,
        orders: bool = False,
        payment_method: str | None = None,
        turn: str | None = None,
    ) -> Steps[models.Batch]:
        """Start a batch: its documents are stamped with stamps of the account. If the account has too few stamps, the
        request is refused with `stamps_missing`. With `orders` the missing stamps are ordered instead, and the batch
        continues by itself once they are paid.
        """
        order = {} if payment_method is None else {"payment_method": payment_method}
        return self._send(
            Call(
                "POST",
                f"{_batch(batch_id)}/start",
                models.Batch,
                headers={} if turn is None else {"Waiting-Turn": turn},
                body=json_of({"order": order if orders or payment_method is not None else None}),
            )
        )

    @operation
    def cancel(self, batch_id: str) -> Steps[models.Batch]:
        """Cancel a batch. Its waiting rows end without a stamp; rows whose stamps are held are still stamped."""
        return self._send(Call("POST", f"{_batch(batch_id)}/cancel", models.Batch))

    @operation
    def wait(
        self,
        batch_id: str,
        *,
        timeout_seconds: float = 3600.0,
        progress: Callable[[models.Batch], None] | None = None,
    ) -> Steps[models.Batch]:
        """Wait until all rows of a batch ended. `progress` is called with each state. Raises `StillUnderWay`."""

        def is_over(batch: models.Batch) -> bool:
            if progress is not None:
                progress(batch)
            return batch.state in _BATCH_ENDED

        return poll(
            lambda: self._get(batch_id),
            is_over,
            f"batch {batch_id} is not finished",
            timeout_seconds=timeout_seconds,
            retrying=self._retrying,
        )

    @listing
    def rows(
        self,
        batch_id: str,
        *,
        state: str | None = None,
        after: int = 0,
        page_size: int | None = None,
    ) -> Pages[models.BatchRow]:
        """List rows in their order, each with its serials or the reason why it has none."""
        query = query_of(limit=page_size, state=state, after=after)
        call = Call("GET", f"{_batch(batch_id)}/rows", _PAGE, query)
        return Pages(call, "rows", models.BatchRow, self._retrying, by="after")

    @operation
    def results(self, batch_id: str, into: Into, *, after: int = 0) -> Steps[models.Downloaded]:
        """Download the stamped documents, and `results.csv` with each row, as a zip archive into a file. `after` is the
        number of a row; only later rows are included.
        """
        call = Call(
            "GET", f"{_batch(batch_id)}/results.zip", models.Downloaded,
            query=query_of(after=after), target=Target(into),
        )  # fmt: skip
        return self._send(call)

    @operation
    def document(self, batch_id: str, number: int, into: Into) -> Steps[models.Downloaded]:
        """Download the stamped document of a row into a file."""
        path = f"{_batch(batch_id)}/rows/{number}/document"
        return self._send(Call("GET", path, models.Downloaded, target=Target(into)))


def _batch(batch_id: str) -> str:
    return f"/v1/batches/{_part(batch_id)}"


class Refunds(Resource[R]):
    """Refunds of orders."""

    @operation
    def ask(self, order_id: str, *, key: str | None = None) -> Steps[models.Refund]:
        """Give the unused stamps of an order back; their money is refunded."""
        body = json_of({"order_id": order_id})
        return self._send(
            Call("POST", "/v1/refunds", models.Refund, headers=_with_key(key), body=body)
        )

    @operation
    def get(self, refund_id: str) -> Steps[models.Refund]:
        """Return a refund with its state and its due time."""
        return self._send(Call("GET", f"/v1/refunds/{_part(refund_id)}", models.Refund))

    @listing
    def list(self, *, page_size: int | None = None) -> Pages[models.Refund]:
        """List your refunds, newest first."""
        call = Call("GET", "/v1/refunds", _PAGE, query_of(limit=page_size))
        return Pages(call, "refunds", models.Refund, self._retrying)

    @operation
    def name_account(
        self, bank_code: str, account_no: str, holder: str, *, key: str | None = None
    ) -> Steps[models.NamedAccount]:
        """Name a bank account for refunds that cannot go back to the source of their payment. If the bank has a slightly
        different name of the holder, the refusal `account_holder_near` contains the `claim` to confirm.
        """
        body = json_of({"bank_code": bank_code, "account_no": account_no, "holder": holder})
        return self._send(
            Call(
                "POST",
                "/v1/refunds/account",
                models.NamedAccount,
                headers=_with_key(key),
                body=body,
            )
        )

    @operation
    def confirm_account(self, claim_id: str) -> Steps[models.NamedAccount]:
        """Confirm, within half an hour, that an account is yours though its name differs slightly from the name you sent."""
        path = f"/v1/refunds/account/{_part(claim_id)}/confirm"
        return self._send(Call("POST", path, models.NamedAccount))


class Sales(Resource[R]):
    """Sales of a distributor, from its deposit."""

    @operation
    def make(
        self, email: str, quantity: int, *, reference: str | None = None, key: str | None = None
    ) -> Steps[models.Sale]:
        """Sell stamps to the account of a buyer. A sale that your deposit does not cover waits, and is paid after a top-up
        without another request.
        """
        body = json_of({"email": email, "quantity": quantity, "reference": reference})
        return self._send(Call("POST", "/v1/sales", models.Sale, headers=_with_key(key), body=body))

    @operation
    def get(self, sale_id: str) -> Steps[models.Sale]:
        """Return a sale with its state."""
        return self._send(Call("GET", f"/v1/sales/{_part(sale_id)}", models.Sale))

    @listing
    def list(
        self,
        *,
        reference: str | None = None,
        reseller: str | None = None,
        page_size: int | None = None,
    ) -> Pages[models.Sale]:
        """List your sales, newest first; optionally only sales with a reference, or of a reseller. A reseller sees only its
        own sales.
        """
        query = query_of(limit=page_size, reference=reference, reseller=reseller)
        call = Call("GET", "/v1/sales", _PAGE, query)
        return Pages(call, "sales", models.Sale, self._retrying)

    @operation
    def deposit(self) -> Steps[models.Deposit]:
        """Return your deposit, and the sales that wait for it."""
        return self._send(Call("GET", "/v1/deposit", models.Deposit))

    @operation
    def add_deposit(
        self, rupiah: int, *, payment_method: str | None = None, key: str | None = None
    ) -> Steps[models.Order]:
        """Order a top-up of your deposit, a multiple of the stamp duty in rupiah, which is paid like any order."""
        body = json_of({"rupiah": rupiah, "payment_method": payment_method})
        return self._send(
            Call("POST", "/v1/deposits", models.Order, headers=_with_key(key), body=body)
        )

    @operation
    def statement(
        self, *, month: str | None = None, day: str | None = None
    ) -> Steps[models.Statement]:
        """Return the sums of your deposit by day, for a `month` (2026-11) or a `day` (2026-11-30): rupiah added, sold,
        returned, and the balances.
        """
        query = query_of(month=month, day=day)
        return self._send(Call("GET", "/v1/deposit/statement", models.Statement, query))

    @operation
    def movements(
        self,
        kind: Literal["csv", "xlsx", "json"],
        into: Into,
        *,
        month: str | None = None,
        day: str | None = None,
    ) -> Steps[models.Downloaded]:
        """Download every movement of your deposit in a month or on a day into a file, oldest first, with the balance after
        it.
        """
        query = query_of(month=month, day=day)
        path = f"/v1/deposit/statement.{_part(kind)}"
        return self._send(Call("GET", path, models.Downloaded, query, target=Target(into)))

    @operation
    def table(
        self, into: Into, *, month: str | None = None, day: str | None = None
    ) -> Steps[models.Downloaded]:
        """Download the sales made in a month or on a day into a CSV file, with their states, oldest first."""
        query = query_of(month=month, day=day)
        return self._send(
            Call("GET", "/v1/sales.csv", models.Downloaded, query, target=Target(into))
        )


class Shops(Resource[R]):
    """The sales page of a distributor."""

    @operation
    def get(self) -> Steps[models.Shop]:
        """Return the sales page as buyers see it, with its address."""
        return self._send(Call("GET", "/v1/shop", models.Shop))

    @operation
    def set(
        self, slug: str, *, colour: str | None = None, terms: str | None = None
    ) -> Steps[models.Shop]:
        """Open your sales page as `/s/SLUG`, or change it; `colour` is #rrggbb under white text."""
        body = json_of({"slug": slug, "colour": colour, "terms": terms})
        return self._send(Call("PUT", "/v1/shop", models.Shop, body=body))

    @operation
    def set_logo(self, picture: Content) -> Steps[models.Shop]:
        """Set a logo, a PNG or JPEG."""
        body = _Body("application/octet-stream", [file_of(picture)])
        return self._send(Call("PUT", "/v1/shop/logo", models.Shop, body=body))

    @operation
    def remove_logo(self) -> Steps[models.Shop]:
        """Remove the logo."""
        return self._send(Call("DELETE", "/v1/shop/logo", models.Shop))


class Collectors(Resource[R]):
    """The credit of a collector, and its months. A month is written as 2026-11."""

    @operation
    def get(self) -> Steps[models.Collector]:
        """Return your limit, your deposits, and for each month the rupiah drawn on credit and still owed, with
        the last days to deposit the duty and to file the return.
        """
        return self._send(Call("GET", "/v1/collector", models.Collector))

    @operation
    def tell_deposit(
        self, ntpn: str, month: str, rupiah: int, paid_on: date
    ) -> Steps[models.TreasuryDeposit]:
        """Report that you deposited the duty of a month, or part of it. When we confirm it, orders that waited for it are
        paid.
        """
        told = {"ntpn": ntpn, "month": month, "rupiah": rupiah, "paid_on": paid_on}
        call = Call("POST", "/v1/collector/deposits", models.TreasuryDeposit, body=json_of(told))
        return self._send(call)

    @operation
    def withdraw_deposit(self, ntpn: str) -> Steps[None]:
        """Withdraw the report of a deposit that is not confirmed."""
        return self._send(Call("DELETE", f"/v1/collector/deposits/{_part(ntpn)}", NOTHING))

    @operation
    def month(self, month: str) -> Steps[models.CollectorList]:
        """Return the sums of a month, its dates and state, and the documents that could not be stamped."""
        return self._send(Call("GET", _month(month), models.CollectorList))

    @operation
    def documents(
        self, month: str, kind: Literal["csv", "xlsx", "json"], into: Into
    ) -> Steps[models.Downloaded]:
        """Download the list of a month into a file: documents that were stamped (annex II) or could not be stamped (annex
        III).
        """
        path = _month(month, f"documents.{_part(kind)}")
        return self._send(Call("GET", path, models.Downloaded, target=Target(into)))

    @operation
    def nil(self, month: str, into: Into) -> Steps[models.Downloaded]:
        """Download a signed statement that a month has nothing to report: a JSON Web Signature (key: /regulator/key.pem)."""
        return self._send(Call("GET", _month(month, "nil"), models.Downloaded, target=Target(into)))

    @operation
    def tell_return(
        self, month: str, receipt: str, reported_on: date
    ) -> Steps[models.CollectorMonth]:
        """Report that you filed the return of a month, with the number of its receipt. We then stop the reminders to file
        it.
        """
        body = json_of({"receipt": receipt, "reported_on": reported_on})
        return self._send(Call("PUT", _month(month, "return"), models.CollectorMonth, body=body))

    @operation
    def tell_unstamped(self, facts: Facts, happened_at: datetime, reason: str) -> Steps[None]:
        """Report a document that fell due and could not be stamped. Annex III of its month then contains it. `happened_at`
        has a time zone.
        """
        body = json_of({"facts": plain_facts(facts), "happened_at": happened_at, "reason": reason})
        return self._send(Call("POST", "/v1/collector/unstamped", NOTHING, body=body))


def _month(month: str, more: str = "") -> str:
    return f"/v1/collector/months/{_part(month)}" + (f"/{more}" if more else "")


def _reseller(account: str) -> str:
    return f"/v1/resellers/{_part(account)}"


class Resellers(Resource[R]):
    """Resellers of a distributor. An account is written as `acc_...`."""

    @operation
    def all(self) -> Steps[models.Resellers]:
        """Return your resellers, with the rupiah that each may still sell today."""
        return self._send(Call("GET", "/v1/resellers", models.Resellers))

    @operation
    def get(self, reseller_id: str) -> Steps[models.Reseller]:
        """Return a reseller of yours, with the rupiah that it may still sell today."""
        return self._send(Call("GET", _reseller(reseller_id), models.Reseller))

    @operation
    def invite(
        self, account: str, name: str, day_rupiah: int, *, fee: int = 0
    ) -> Steps[models.Reseller]:
        """Offer an account to sell from your deposit, within a daily limit (`day_rupiah`). The account can sell once it
        accepts. `fee` is in rupiah for each stamp.
        """
        body = json_of({"account": account, "name": name, "day_rupiah": day_rupiah, "fee": fee})
        return self._send(Call("POST", "/v1/resellers", models.Reseller, body=body))

    @operation
    def change(
        self, reseller_id: str, name: str, day_rupiah: int, *, fee: int = 0
    ) -> Steps[models.Reseller]:
        """Change name, fee and daily limit of a reseller, from its next sale on."""
        body = json_of({"name": name, "day_rupiah": day_rupiah, "fee": fee})
        path = f"{_reseller(reseller_id)}/change"
        return self._send(Call("POST", path, models.Reseller, body=body))

    @operation
    def pause(self, reseller_id: str) -> Steps[models.Reseller]:
        """Stop a reseller from making sales for now. Its waiting sales are still paid from your deposit."""
        return self._send(Call("POST", f"{_reseller(reseller_id)}/pause", models.Reseller))

    @operation
    def resume(self, reseller_id: str) -> Steps[models.Reseller]:
        """Let a paused reseller sell again."""
        return self._send(Call("POST", f"{_reseller(reseller_id)}/resume", models.Reseller))

    @operation
    def end(self, reseller_id: str) -> Steps[models.Reseller]:
        """End a reseller, or withdraw an invitation. Its waiting sales are paid or end like your own sales."""
        return self._send(Call("POST", f"{_reseller(reseller_id)}/end", models.Reseller))

    @operation
    def sold_by(
        self, reseller_id: str, *, month: str | None = None, day: str | None = None
    ) -> Steps[models.Sold]:
        """Return the rupiah that your deposit paid for the sales of a reseller, and the rupiah returned, in a month or on a
        day.
        """
        query = query_of(month=month, day=day)
        path = f"{_reseller(reseller_id)}/statement"
        return self._send(Call("GET", path, models.Sold, query))

    @operation
    def reselling(self) -> Steps[models.Reselling]:
        """Return offers of distributors to sell from their deposits, and the distributor for which you sell. Each entry has
        the rupiah that you may still sell today.
        """
        return self._send(Call("GET", "/v1/reselling", models.Reselling))

    @operation
    def accept(self, distributor_id: str) -> Steps[models.Reseller]:
        """Accept an offer: you sell from the deposit of this distributor from now on. Only one distributor is possible."""
        path = f"/v1/reselling/{_part(distributor_id)}/accept"
        return self._send(Call("POST", path, models.Reseller))

    @operation
    def leave(self, distributor_id: str) -> Steps[models.Reseller]:
        """Decline the offer of a distributor, or stop selling for it."""
        path = f"/v1/reselling/{_part(distributor_id)}/end"
        return self._send(Call("POST", path, models.Reseller))

    @operation
    def sold(self, *, month: str | None = None, day: str | None = None) -> Steps[models.Sold]:
        """Return the rupiah that your distributor's deposit paid for your sales, and the rupiah returned, in a month or on
        a day.
        """
        query = query_of(month=month, day=day)
        return self._send(Call("GET", "/v1/reselling/statement", models.Sold, query))


class Webhooks(Resource[R]):
    """Your webhook endpoints, which receive events as messages; `Webhook` verifies received messages."""

    @operation
    def make(
        self, url: str, events: Sequence[str], *, description: str = "", key: str | None = None
    ) -> Steps[models.EndpointSecret]:
        """Make an endpoint: events of these types are sent to a URL. `["*"]` means all types. Keep the `secret` of the
        answer.
        """
        body = json_of({"url": url, "events": list(events), "description": description})
        return self._send(
            Call("POST", "/v1/webhooks", models.EndpointSecret, headers=_with_key(key), body=body)
        )

    @operation
    def all(self) -> Steps[models.Endpoints]:
        """Return your endpoints, and the available types of events."""
        return self._send(Call("GET", "/v1/webhooks", models.Endpoints))

    @operation
    def get(self, webhook_id: str) -> Steps[models.Endpoint]:
        """Return an endpoint with its state."""
        return self._send(Call("GET", _webhook(webhook_id), models.Endpoint))

    @operation
    def change(
        self,
        webhook_id: str,
        *,
        url: str | None = None,
        events: Sequence[str] | None = None,
        description: str | None = None,
    ) -> Steps[models.Endpoint]:
        """Change the given fields of an endpoint; the others stay unchanged."""
        body = json_of({"url": url, "events": events and list(events), "description": description})
        return self._send(Call("POST", _webhook(webhook_id, "change"), models.Endpoint, body=body))

    @operation
    def rotate(self, webhook_id: str, *, key: str | None = None) -> Steps[models.EndpointSecret]:
        """Make a new secret. For 24 hours messages are signed with the old secret too."""
        path = _webhook(webhook_id, "rotate")
        return self._send(Call("POST", path, models.EndpointSecret, headers=_with_key(key)))

    @operation
    def enable(self, webhook_id: str) -> Steps[models.Endpoint]:
        """Send messages to an endpoint again. Messages that were kept while it was disabled can be replayed."""
        return self._send(Call("POST", _webhook(webhook_id, "enable"), models.Endpoint))

    @operation
    def disable(self, webhook_id: str) -> Steps[models.Endpoint]:
        """Send nothing to an endpoint until it is enabled; messages are kept meanwhile."""
        return self._send(Call("POST", _webhook(webhook_id, "disable"), models.Endpoint))

    @operation
    def remove(self, webhook_id: str) -> Steps[models.Removed]:
        """Remove an endpoint permanently."""
        return self._send(Call("POST", _webhook(webhook_id, "remove"), models.Removed))

    @operation
    def test(self, webhook_id: str) -> Steps[models.Delivery]:
        """Send a message of the type `webhook.test` to an endpoint."""
        return self._send(Call("POST", _webhook(webhook_id, "test"), models.Delivery))

    @listing
    def deliveries(
        self, webhook_id: str, *, state: str | None = None, page_size: int | None = None
    ) -> Pages[models.Delivery]:
        """List the messages of the last 30 days to an endpoint, newest first."""
        query = query_of(limit=page_size, state=state)
        call = Call("GET", _webhook(webhook_id, "deliveries"), _PAGE, query)
        return Pages(call, "deliveries", models.Delivery, self._retrying)

    @operation
    def delivery(self, webhook_id: str, message_id: str) -> Steps[models.DeliveryDetails]:
        """Return a message with its body and every attempt."""
        path = _webhook(webhook_id, f"deliveries/{_part(message_id)}")
        return self._send(Call("GET", path, models.DeliveryDetails))

    @operation
    def replay(
        self, webhook_id: str, *, message_id: str | None = None, since: datetime | None = None
    ) -> Steps[models.Replayed]:
        """Deliver one message again, or the undelivered messages since a moment. A call repeats at most 10,000 messages, so
        call again until the answer is 0.
        """
        moment = None if since is None else since.isoformat()
        body = json_of({"message_id": message_id, "since": moment})
        return self._send(Call("POST", _webhook(webhook_id, "replay"), models.Replayed, body=body))


def _webhook(webhook_id: str, more: str = "") -> str:
    return f"/v1/webhooks/{_part(webhook_id)}" + (f"/{more}" if more else "")


class Cases(Resource[R]):
    """Complaints, which are answered at once if our records have the answer."""

    @operation
    def complain(
        self, matter: str, words: str, *, about: str | None = None, key: str | None = None
    ) -> Steps[models.CaseDetails]:
        """Complain about an order or a stamp. `matter` is the kind of complaint, `about` the id of an order, a stamping or
        a refund. The response contains the answer if our records have it.
        """
        body = json_of({"matter": matter, "words": words, "about": about})
        return self._send(
            Call("POST", "/v1/cases", models.CaseDetails, headers=_with_key(key), body=body)
        )

    @operation
    def get(self, case_id: str) -> Steps[models.CaseDetails]:
        """Return a complaint with its answer, its messages, and the timeline of its order or stamping."""
        return self._send(Call("GET", f"/v1/cases/{_part(case_id)}", models.CaseDetails))

    @listing
    def list(self, *, page_size: int | None = None) -> Pages[models.Case]:
        """List your complaints, newest first."""
        call = Call("GET", "/v1/cases", _PAGE, query_of(limit=page_size))
        return Pages(call, "cases", models.Case, self._retrying)


class Organizations(Resource[R]):
    """The organization of the key, its members and keys. Keys can only be made on a page, because the thief of a key must
    not be able to make another key.
    """

    @operation
    def get(self) -> Steps[models.Organization]:
        """Return the organization of the key; `not_found` if the account belongs to a person."""
        return self._send(Call("GET", "/v1/organization", models.Organization))

    @operation
    def members(self) -> Steps[list[models.Member]]:
        """Return the members with their roles and monthly limits of stamps; empty if the account belongs to a person."""
        answer = yield from self._send(Call("GET", "/v1/members", models.Members))
        return answer.members

    @operation
    def api_keys(self) -> Steps[list[models.ApiKey]]:
        """Return the API keys of the account, each with its scopes and its expiry."""
        answer = yield from self._send(Call("GET", "/v1/api-keys", models.ApiKeys))
        return answer.api_keys

    @operation
    def end_api_key(self, key_id: str) -> Steps[models.ApiKey]:
        """End an API key, which may be the key of this request. After five seconds every request with it is refused."""
        return self._send(Call("POST", f"/v1/api-keys/{_part(key_id)}/end", models.ApiKey))

    @listing
    def requests(
        self,
        *,
        key_id: str | None = None,
        status: str | None = None,
        since: datetime | None = None,
        request_id: str | None = None,
        page_size: int | None = None,
    ) -> Pages[models.LoggedRequest]:
        """List the requests of the last 30 days, newest first; `status` is a class such as `4xx`."""
        query = query_of(
            limit=page_size,
            key=key_id,
            status=status,
            since=None if since is None else since.isoformat(),
            request_id=request_id,
        )
        call = Call("GET", "/v1/requests", _PAGE, query)
        return Pages(call, "requests", models.LoggedRequest, self._retrying)


class Lines(Resource[R]):
    """Lines (waiting rooms) before buying or checking in a rush."""

    @operation
    def get(self, name: str = "buying") -> Steps[models.Line]:
        """Return the state of a line."""
        return self._send(Call("GET", f"/v1/lines/{_part(name)}", models.Line))

    @operation
    def take_place(self, name: str = "buying") -> Steps[models.Place]:
        """Take a place in a line, or return the existing place of your account."""
        return self._send(self._place(name))

    @operation
    def come_in(self, ticket: str, name: str = "buying") -> Steps[models.Turn]:
        """Return the turn of the place with this ticket. Refused as `number_not_served` before its number is called."""
        return self._send(self._turn(name, ticket))

    @operation
    def wait(self, name: str = "buying", *, timeout_seconds: float = 7200.0) -> Steps[models.Turn]:
        """Take a place and wait for its turn; then send `turn` of the answer with the order. Raises `StillUnderWay`."""
        place = yield from self._send(self._place(name))
        turn = yield from poll(
            lambda: self._come_in(name, place.ticket),
            lambda one: one is not None,
            f"number {place.number} of {name} is not served",
            timeout_seconds=timeout_seconds,
            retrying=self._retrying,
        )
        assert turn is not None
        return turn

    def _come_in(self, name: str, ticket: str) -> Steps[models.Turn | None]:
        try:
            return (yield from self._send(self._turn(name, ticket)))
        except Refused as refused:
            if refused.code != "number_not_served":
                raise
            return None

    def _place(self, name: str) -> Call[models.Place]:
        return Call("POST", f"/v1/lines/{_part(name)}/places", models.Place)

    def _turn(self, name: str, ticket: str) -> Call[models.Turn]:
        return Call(
            "POST", f"/v1/lines/{_part(name)}/turns", models.Turn, body=json_of({"ticket": ticket})
        )


class Installation(Resource[R]):
    """Published state of the installation."""

    @operation
    def status(self) -> Steps[models.Status]:
        """Return published incidents and maintenance, and current figures of the platform."""
        return self._send(Call("GET", "/v1/status", models.Status))

    @operation
    def outages(self) -> Steps[list[models.Outage]]:
        """Return confirmed records of outages under the law."""
        answer = yield from self._send(Call("GET", "/v1/outages", models.Outages))
        return answer.outages

    @operation
    def outage(self, outage_id: str) -> Steps[models.Outage]:
        """Return a confirmed outage record."""
        return self._send(Call("GET", f"/v1/outages/{_part(outage_id)}", models.Outage))
