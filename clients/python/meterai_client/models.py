"""Answers of the API, as values. Unknown fields are ignored, since later versions may have more.

Amounts are whole rupiah, lengths are points, hashes are lower-case hex SHA-256, times are UTC. States, kinds and verdicts
are texts, of which later versions may have more.
"""

from collections.abc import Mapping
from datetime import date, datetime

import msgspec

# -- orders ----------------------------------------------------------------------------------------


class Instructions(msgspec.Struct, frozen=True, kw_only=True):
    """Instructions for a payment without a QR.

    `kind` is `account_number`, with `bank` and `number`, or `redirect`, with `url`; later versions may have more kinds.
    """

    kind: str
    bank: str | None = None
    number: str | None = None
    url: str | None = None


class Payment(msgspec.Struct, frozen=True, kw_only=True):
    """The payment that an order waits for; `qr_content` is the text of the QR."""

    method: str
    state: str
    amount: int
    expires_at: datetime
    qr_content: str | None
    instructions: Instructions | None = None


class Money(msgspec.Struct, frozen=True, kw_only=True):
    """State of the money of an order, in rupiah. `captured - charged_back + loss = executed + refunded + in_flight`."""

    captured: int
    charged_back: int
    executed: int
    refunded: int
    in_flight: int
    loss: int


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """An order. Money in flight is executed or refunded by `refund_due_at`.

    `total` is `quantity` times the sum of `unit_price` and `service_fee`. `seller` is the distributor or reseller that sold
    it, if any; `seller_fee` is its part of `service_fee`.
    """

    id: str
    state: str
    kind: str
    quantity: int
    unit_price: int
    service_fee: int
    total: int
    currency: str
    placed_at: datetime
    paid_at: datetime | None
    refund_due_at: datetime | None
    reference: str | None
    metadata: Mapping[str, str]
    payment: Payment
    money: Money
    seller: str | None = None
    seller_fee: int | None = None


# -- stampings ---------------------------------------------------------------------------------------


class PlacedStamp(msgspec.Struct, frozen=True, kw_only=True):
    """Position of a stamp: its lower left corner and width, in points of the page as it is seen."""

    page: int
    x: float
    y: float
    width: float


class Stamping(msgspec.Struct, frozen=True, kw_only=True):
    """A document and its stamps.

    `repaired` means that the document was damaged and repaired: hashes, delta and stamped document are those of the
    repaired one. The stamped document is available until `document_until`, the delta permanently. `reason` tells why a
    stamping failed.
    """

    id: str
    state: str
    serials: list[str]
    placements: list[PlacedStamp]
    document: str
    repaired: bool
    sha256_original: str
    sha256_stamped: str | None
    document_url: str | None
    document_until: datetime | None
    delta_url: str | None
    order_id: str | None
    reference: str | None
    metadata: Mapping[str, str]
    requested_at: datetime
    due_at: datetime | None
    delivered_at: datetime | None
    reason: str | None


class OrderedDocuments(msgspec.Struct, frozen=True, kw_only=True):
    """An order, and the stampings of its documents in their order."""

    order: Order
    stampings: list[Stamping]


class Balance(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of stamps of the account: free to use, held by stampings under way, and affixed to documents."""

    available: int
    held: int
    used: int


class BalanceAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Balance of the account."""

    stamps: Balance


class Downloaded(msgspec.Struct, frozen=True, kw_only=True):
    """A downloaded file: size in bytes, and hash."""

    size: int
    sha256: str


# -- checks ------------------------------------------------------------------------------------------


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """Result for one checked property of a document."""

    name: str
    passed: bool
    detail: str


class SealedRevision(msgspec.Struct, frozen=True, kw_only=True):
    """The first `bytes` of a file, which the seal covers."""

    bytes: int
    sha256: str
    sealed_at: datetime
    serials: list[str]


class EarlierRevision(msgspec.Struct, frozen=True, kw_only=True):
    """A stamped revision before further changes, after which the document was stamped again; its serials do not count."""

    bytes: int
    sealed_at: datetime
    serials: list[str]


class LaterSignature(msgspec.Struct, frozen=True, kw_only=True):
    """A signature that was added after the seal. The name in it is not verified."""

    signer: str
    at: datetime | None


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """Result of the check of a file."""

    verdict: str
    summary: str
    is_specimen: bool
    checked_at: datetime
    checked_by: str
    sha256: str
    size_bytes: int
    serials: list[str]
    sealed_at: datetime | None
    sha256_original: str | None
    checks: list[Check]
    sealed: SealedRevision | None = None
    later_bytes: int | None = None
    earlier: list[EarlierRevision] = []
    later_signatures: list[LaterSignature] = []

    @property
    def is_good(self) -> bool:
        """True if the seal is valid and the stamp is not from a sandbox."""
        return self.verdict in GOOD_VERDICTS and not self.is_specimen


GOOD_VERDICTS = frozenset({"genuine", "genuine_then_extended"})


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """Record of a serial."""

    serial: str
    state: str
    summary: str
    affixed_at: datetime | None
    sha256_original: str | None
    document_checked: bool = False


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """Facts in the QR code of a stamp, whose signature is valid."""

    verdict: str
    summary: str
    serial: str
    key_id: str
    sealed_at: datetime
    sha256_original_begins: str
    stamp: Stamp | None
    document_checked: bool = False


class ClaimKey(msgspec.Struct, frozen=True, kw_only=True):
    """Public key that verifies the signatures of QR codes."""

    id: str
    algorithm: str
    public_key: str
    pem: str
    is_current: bool


class ClaimKeys(msgspec.Struct, frozen=True, kw_only=True):
    """All public keys that verify the signatures of QR codes."""

    keys: list[ClaimKey]


class CheckRow(msgspec.Struct, frozen=True, kw_only=True):
    """Result for one file, serial or code of a check of many. `code` is the reason if `verdict` is `not_checked`.
    `shared_with` names other files of the check with one of these serials.
    """

    row: int
    id: str | None
    kind: str
    file: str
    result: str
    remarks: str = ""
    verdict: str = "not_checked"
    code: str | None = None
    is_specimen: bool | None = None
    serials: list[str] = []
    sealed_at: datetime | None = None
    sha256: str | None = None
    size_bytes: int | None = None
    checked_at: datetime | None = None
    sealed_bytes: int | None = None
    sealed_sha256: str | None = None
    later_bytes: int | None = None
    earlier: list[str] = []
    shared_with: list[str] = []


class CheckRows(msgspec.Struct, frozen=True, kw_only=True):
    """A row for each document, serial and code, in the order of the request."""

    rows: list[CheckRow]


# -- batches -----------------------------------------------------------------------------------------


class RowCounts(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of rows of a batch by state."""

    total: int
    waiting: int
    refused: int
    reserved: int
    delivered: int
    failed: int
    cancelled: int


class BatchStamps(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of stamps of a batch: affixed to its documents, still needed, and missing in the account."""

    used: int
    wanted: int
    missing: int


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Documents stamped together. `progress` is the share of its rows that ended, 0 to 1; `order` is the order that it
    waits for.
    """

    id: str
    state: str
    reference: str | None
    files: int
    rows: RowCounts
    stamps: BatchStamps
    progress: float
    made_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    order: Order | None
    rows_url: str
    results_url: str | None


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """A reason: a stable code, and a sentence in both languages."""

    code: str
    id: str
    en: str


class BatchFile(msgspec.Struct, frozen=True, kw_only=True):
    """Outcome of a file: `added`, `known` (the same bytes exist) or `refused`, with the reason."""

    name: str
    outcome: str
    sha256: str | None
    repaired: bool
    reason: Reason | None


class BatchFiles(msgspec.Struct, frozen=True, kw_only=True):
    """Outcomes of the sent files."""

    files: list[BatchFile]
    added: int
    known: int
    refused: int


class RowRefused(msgspec.Struct, frozen=True, kw_only=True):
    """A wrong row, which is not stamped: its line, its number in the batch, and the reason."""

    line: int
    row: int
    key: str | None
    reason: Reason


class RowsTaken(msgspec.Struct, frozen=True, kw_only=True):
    """Received rows: new rows, rows that the batch had before, and wrong rows."""

    added: int
    known: int
    refused: list[RowRefused]
    columns_ignored: list[str]


class BatchRow(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a batch: its serials, or the reason why it has none."""

    row: int
    key: str | None
    document: str
    sha256: str | None
    state: str
    reason: Reason | None
    serials: list[str]
    stamping_id: str | None
    document_url: str | None
    ended_at: datetime | None
    facts: Mapping[str, str | int]


# -- refunds -----------------------------------------------------------------------------------------


class RefundAccount(msgspec.Struct, frozen=True, kw_only=True):
    """The bank account that receives a refund: its bank and last digits."""

    state: str
    bank: str
    last: str


class Refund(msgspec.Struct, frozen=True, kw_only=True):
    """A refund with its state."""

    id: str
    order_id: str
    state: str
    stage: str
    way: str
    cause: str
    amount: int
    stamps: int
    currency: str
    compensation: int
    requested_at: datetime
    due_at: datetime
    settled_at: datetime | None
    refund_number: str
    provider_refund_number: str | None
    account: RefundAccount | None = None
    is_for_seller: bool = False


class NamedAccount(msgspec.Struct, frozen=True, kw_only=True):
    """A bank account that you named for refunds, with the name of its holder."""

    id: str
    state: str
    bank_code: str
    account_no: str
    holder: str


# -- sales of a distributor ------------------------------------------------------------------------------


class Sale(msgspec.Struct, frozen=True, kw_only=True):
    """A sale from the deposit. A `waiting` sale waits for a top-up, at most until `waits_until`; `order` is the order of
    the buyer.
    """

    id: str
    state: str
    quantity: int
    total: int
    returned: int
    order: str
    reference: str | None
    made_at: datetime
    waits_until: datetime
    taken_at: datetime | None
    ended_at: datetime | None
    reseller: str | None


class Deposit(msgspec.Struct, frozen=True, kw_only=True):
    """Your deposit in rupiah, and the sales that wait for it; `is_low` means that a top-up is due."""

    state: str
    name: str
    balance: int
    waiting_sales: int
    waiting_rupiah: int
    is_low: bool
    low_below: int
    when_short: str


class DayOfDeposit(msgspec.Struct, frozen=True, kw_only=True):
    """Movements of a deposit in one day (WIB), in rupiah, and the number of sales."""

    day: date
    opening: int
    added: int
    sold: int
    returned: int
    fees: int
    withdrawn: int
    closing: int
    sales: int


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """The sales page of a distributor: its address, its content, and whether it sells; `fee` is in rupiah for each stamp."""

    slug: str
    url: str
    colour: str
    terms: str
    has_logo: bool
    name: str
    fee: int
    state: str
    set_at: datetime


class Statement(msgspec.Struct, frozen=True, kw_only=True):
    """Statement of a deposit, by day."""

    begins: datetime
    ends: datetime
    opening: int
    closing: int
    days: list[DayOfDeposit]


class Reseller(msgspec.Struct, frozen=True, kw_only=True):
    """A reseller and its distributor, as both see it; `day_rupiah` is its daily limit (WIB) of sales from the deposit."""

    account: str
    name: str
    state: str
    fee: int
    day_rupiah: int
    sold_today: int
    left_today: int
    distributor: str
    distributor_name: str


class Resellers(msgspec.Struct, frozen=True, kw_only=True):
    """Resellers of a distributor, ordered by name."""

    resellers: list[Reseller]


class Reselling(msgspec.Struct, frozen=True, kw_only=True):
    """Your relations to distributors: offers to sell from their deposits, and the distributor for which you sell."""

    distributors: list[Reseller]


class SoldDay(msgspec.Struct, frozen=True, kw_only=True):
    """Sales of a reseller in one day (WIB), in rupiah, and their number."""

    day: date
    sales: int
    sold: int
    returned: int


class Sold(msgspec.Struct, frozen=True, kw_only=True):
    """Sales of a reseller by day."""

    begins: datetime
    ends: datetime
    sales: int
    sold: int
    returned: int
    days: list[SoldDay]


# -- credit of a collector ---------------------------------------------------------------------------------


class CollectorMonth(msgspec.Struct, frozen=True, kw_only=True):
    """One month (WIB): `due` is the rupiah to deposit for it, `receipt` the number of the receipt of its return."""

    month: str
    state: str
    drawn: int
    returned: int
    deposited: int
    due: int
    deposit_by: date
    report_by: date
    receipt: str | None


class TreasuryDeposit(msgspec.Struct, frozen=True, kw_only=True):
    """A deposit to the treasury that you reported; its state is `told` until it is confirmed."""

    id: str
    ntpn: str
    month: str
    amount: int
    paid_on: date
    state: str
    told_at: datetime


class Collector(msgspec.Struct, frozen=True, kw_only=True):
    """Credit of the collector: `used` counts the current month; `stopped_by` is None, `limit` or `deposit`."""

    state: str
    name: str
    npwp: str
    limit: int
    used: int
    left: int
    owed: int
    waiting_orders: int
    waiting_rupiah: int
    stopped_by: str | None
    deposit_code: str
    months: list[CollectorMonth]
    deposits: list[TreasuryDeposit]


class ListedDocument(msgspec.Struct, frozen=True, kw_only=True):
    """One document of a month: stamped (`annex` is `II`), or not (`III`), with the reason. Unknown facts are None."""

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


class CollectorList(msgspec.Struct, frozen=True, kw_only=True):
    """List of a month: `stamped` documents with `stamps` stamps, whose duty is `duty` rupiah; and each unstamped document."""

    collector: str
    npwp: str
    nitku: str
    month: CollectorMonth
    deposit_code: str
    stamped: int
    stamps: int
    duty: int
    unstamped: list[ListedDocument]


# -- webhooks ------------------------------------------------------------------------------------------


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint for webhook messages. `events` are types of events, or `*` for all; `old_secret_until` is set while
    messages are signed with two secrets.
    """

    id: str
    url: str
    description: str
    events: list[str]
    state: str
    disabled_because: str | None
    failing_since: datetime | None
    failed_messages: int
    old_secret_until: datetime | None
    made_at: datetime


class EndpointSecret(Endpoint, frozen=True, kw_only=True):
    """An endpoint with the secret that signs its messages; answers to repeats of the request contain the secret
    for a day, and never later.
    """

    secret: str | None


class Endpoints(msgspec.Struct, frozen=True, kw_only=True):
    """All endpoints, and the available types of events."""

    webhooks: list[Endpoint]
    event_types: list[str]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A message to an endpoint; `id` is its `webhook-id`."""

    id: str
    endpoint_id: str
    type: str
    state: str
    made_at: datetime
    attempts: int
    next_attempt_at: datetime | None
    delivered_at: datetime | None


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt to deliver a message: its begin, its duration, and the answer."""

    number: int
    began_at: datetime
    milliseconds: int
    status: int | None
    answer: str
    failure: str | None


class DeliveryDetails(Delivery, frozen=True, kw_only=True):
    """A message with its body as it is sent, and its attempts."""

    body: str | None
    attempt_list: list[Attempt]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """Number of messages that are delivered again."""

    replayed: int


class Removed(msgspec.Struct, frozen=True, kw_only=True):
    """An endpoint that was removed."""

    id: str
    state: str


# -- complaints ----------------------------------------------------------------------------------------


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """Answer to a complaint, from our records or by staff."""

    code: str
    text: str
    next: str
    answered_at: datetime | None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """Message of a complaint."""

    author: str
    kind: str
    words: str
    at: datetime


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the timeline of a complaint."""

    at: datetime
    text: str


class Case(msgspec.Struct, frozen=True, kw_only=True):
    """A complaint."""

    id: str
    state: str
    matter: str
    about: str | None
    answer: Answer | None
    outcome: str | None
    opened_at: datetime
    due_at: datetime | None
    closes_at: datetime | None
    closed_at: datetime | None
    times_told: int


class CaseDetails(Case, frozen=True, kw_only=True):
    """A complaint with its messages, and the timeline of its order or stamping."""

    messages: list[Message]
    timeline: list[Happening]
    pictures: int


# -- the organization and its keys -----------------------------------------------------------------------


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key: its scopes, and its expiry."""

    id: str
    name: str
    scopes: list[str]
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    ended_at: datetime | None
    replaces: str | None


class ApiKeys(msgspec.Struct, frozen=True, kw_only=True):
    """All API keys of the account."""

    api_keys: list[ApiKey]


class Organization(msgspec.Struct, frozen=True, kw_only=True):
    """The organization of a key."""

    id: str
    name: str
    npwp: str
    nib: str
    unknown_formats: list[str]
    state: str
    made_at: datetime


class Member(msgspec.Struct, frozen=True, kw_only=True):
    """A member of the organization, with its monthly limit of stamps."""

    id: str
    email: str
    role: str
    given_at: datetime
    stamps_per_month: int | None
    stamps_used: int


class Members(msgspec.Struct, frozen=True, kw_only=True):
    """All members."""

    members: list[Member]


class LoggedRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request with one of your API keys, without its body."""

    id: str
    at: datetime
    request_id: str
    key_id: str
    key_name: str
    method: str
    route: str | None
    path: str
    status: int | None
    code: str | None
    milliseconds: int
    idempotency_key: str | None
    bytes_in: int
    bytes_out: int


# -- the line before a rush --------------------------------------------------------------------------------


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A line (waiting room). While `stands_in_the_way` is true, nobody can order or check without a turn."""

    name: str
    act: str
    state: str
    stands_in_the_way: bool
    is_paused: bool
    serving: int
    last: int
    per_second: float
    reason: str
    opens_at: datetime | None
    closes_at: datetime | None


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A place in a line; `ticket` is the proof of it."""

    line: str
    number: int
    ticket: str
    taken_at: datetime
    serving: int
    wait_low_seconds: int | None
    wait_high_seconds: int | None


class Turn(msgspec.Struct, frozen=True, kw_only=True):
    """A turn, which is valid until `until`: send `turn` with the order."""

    line: str
    number: int
    turn: str
    until: datetime


# -- how the installation is -------------------------------------------------------------------------------


class Bilingual(msgspec.Struct, frozen=True, kw_only=True):
    """A text in Indonesian and English."""

    id: str
    en: str


class Update(msgspec.Struct, frozen=True, kw_only=True):
    """A published update of an incident: its time, the state of the incident, and a text."""

    number: int
    at: datetime
    state: str
    text: Bilingual


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """An incident, or announced maintenance."""

    id: str
    kind: str
    state: str
    severity: str
    components: Mapping[str, str]
    title: Bilingual
    started_at: datetime
    begins_at: datetime | None
    ends_at: datetime | None
    resolved_at: datetime | None
    updates: list[Update]


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """Current figures of the platform, measured by itself; None if unknown at the moment."""

    line_waiting: int | None = None
    admission_per_second: float | None = None
    paid_to_stamped_median_seconds: float | None = None
    paid_to_stamped_p95_seconds: float | None = None
    in_flight_orders: int | None = None
    in_flight_rupiah: int | None = None
    in_flight_oldest_seconds: float | None = None
    refunds_open: int | None = None
    refunds_open_rupiah: int | None = None
    refund_oldest_seconds: float | None = None
    mails_waiting_oldest_seconds: float | None = None


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Published state of the installation."""

    at: datetime
    figures: Figures
    incidents: list[Incident]


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """A period in which an act counts as failed."""

    begin: datetime
    end: datetime
    failed_minutes: int
    unmeasured_minutes: int


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """A period in which an act was not measured."""

    begin: datetime
    end: datetime


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """Findings of an outage record for one act: buying, affixing, checking."""

    act: str
    failed: list[Period]
    unmeasured: list[Span]


class Outage(msgspec.Struct, frozen=True, kw_only=True):
    """Record of a failure of the system under the law."""

    id: str
    state: str
    begin: datetime
    end: datetime
    incident: str | None
    replaces: str | None
    confirmed_at: datetime | None
    acts: list[Found]
    record_url: str
    pdf_url: str


class Outages(msgspec.Struct, frozen=True, kw_only=True):
    """All records of outages."""

    outages: list[Outage]
