"""Conversion of differences to items in suspense: kind, key, money and evidence of each; pure."""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec

from meterai.kit.ids import show
from meterai.kit.money import Rupiah
from meterai.payments import MovementKind, RecordedPayment, RefundLine, UnmatchedLine
from meterai.reconciliation.model import (
    ACCOUNT,
    FLOAT,
    STATEMENTS,
    BreakKind,
    Changed,
    Days,
    Differing,
    EvidenceLine,
    Fees,
    FeeTold,
    OfBuyer,
    ReadingCounts,
    Side,
    Unmatched,
)
from meterai.suspense import Break, RecordItem

KEY_OF_REFUND = "refund_not_in_record:"  # the room `refunds` uses this key too
NO_DAY = "no_day_in_its_name"
LINES_TOLD_MAX = 20  # lines of one payment in the evidence
_K = BreakKind
# For each sum: its field, the sign by which it changes the record's account, the kinds if the record or the books have more.
_SUMS = (
    ("captured", 1, _K.PAYMENT_NOT_IN_BOOKS, _K.PAYMENT_NOT_IN_RECORD),
    ("refunded", -1, _K.REFUND_NOT_IN_BOOKS, _K.REFUND_NOT_IN_RECORD),
    ("charged_back", -1, _K.CHARGEBACK_NOT_IN_BOOKS, _K.CHARGEBACK_NOT_IN_RECORD),
)
_REFUNDED = {
    MovementKind.REFUND: 1,
    MovementKind.TRANSFER: 1,
    MovementKind.REFUND_REVERSED: -1,
    MovementKind.TRANSFER_RETURNED: -1,
}
_CLEARED = {  # sign by which a line without a payment changes the record's account
    MovementKind.PAYMENT: 1,
    MovementKind.REFUND: -1,
    MovementKind.REFUND_REVERSED: 1,
    MovementKind.CHARGEBACK: -1,
    MovementKind.CHARGEBACK_WON: 1,
    MovementKind.TRANSFER: -1,
    MovementKind.TRANSFER_RETURNED: 1,
    MovementKind.SETTLEMENT: -1,
}
_STATED = {MovementKind.SETTLEMENT: 1, MovementKind.FEE: -1, MovementKind.TAX: -1}  # in a statement
MOVED = (_K.SETTLEMENT_NOT_BOOKED, _K.FLOAT_MOVED, _K.ACCOUNT_MOVED)  # between accounts of ours


def key_of_payments(provider: str) -> str:
    """Return the prefix of the keys of items in suspense that are about payments of a provider, on any day."""
    return f"record:{provider}:payment:"


def key_of_day(of: Days) -> str:
    """Return the prefix of the keys of items in suspense that are about the record of one day."""
    return f"record:{of.provider}:day:{of.day}:"


def evidence(**facts: object) -> bytes:
    """Encode the facts of the record and of the books as JSON, to be stored as evidence."""
    return msgspec.json.encode(facts, order="sorted")


def _told(lines: Sequence[EvidenceLine]) -> list[Mapping[str, object]]:
    return [one._asdict() for one in lines[:LINES_TOLD_MAX]]


def payment_breaks(
    of: Days, found: Iterable[Differing], lines: Sequence[EvidenceLine]
) -> Iterator[Break]:
    """Yield a break for each sum of a payment that differs (received, refunded, charged back); `lines` are the lines of the
    record about the payments, as evidence.
    """
    by_payment: dict[str, list[EvidenceLine]] = defaultdict(list)
    for line in lines:
        by_payment[str(line.payment)].append(line)
    for one in found:
        sides = {name: (getattr(one, name), getattr(one, f"{name}_ours")) for name, *_ in _SUMS}
        record = {name: there for name, (there, _) in sides.items()}
        ours = {name: here for name, (_, here) in sides.items()} | {"books": one.booked}
        told = evidence(
            day=of.day,
            provider=of.provider,
            record=record,
            ours=ours,
            lines=_told(by_payment[one.payment]),
        )
        yield from _breaks_of_payment(one, f"{key_of_payments(of.provider)}{one.payment}", told)


def _breaks_of_payment(one: Differing, begins: str, told: bytes) -> Iterator[Break]:
    net = one.captured - one.refunded - one.charged_back
    if one.suspended or (one.captured and not (one.captured_ours or one.due or one.booked)):
        if one.captured:  # we do not have this payment, or its money is already in suspense
            yield Break(
                key=f"{begins}:captured",
                reason=_K.PAYMENT_NOT_IN_BOOKS,
                evidence=told,
                reference=one.reference,
                payment=one.payment,
                amount=Rupiah(net if net > 0 else one.captured),
                is_money=net > 0,
            )
        return
    for name, sign, more_there, more_here in _SUMS:
        there, here = getattr(one, name), getattr(one, f"{name}_ours")
        least = getattr(one, f"{name}_least")
        if least <= there <= here:
            continue
        kind, missing = (more_there, there - here) if there > here else (more_here, there - least)
        if name == "captured" and there and here:
            kind = _K.PAYMENT_SUM_DIFFERS
        refunds = " ".join(one.refunds).split()
        is_one_refund = kind is _K.REFUND_NOT_IN_RECORD and len(refunds) == 1
        yield Break(
            key=f"{KEY_OF_REFUND}{refunds[0]}" if is_one_refund else f"{begins}:{name}",
            reason=kind,
            evidence=told,
            reference=refunds[0] if is_one_refund else one.reference,
            payment=one.payment,
            amount=Rupiah(abs(missing)),
            difference=sign * missing,
        )
    if one.booked != one.due:
        yield Break(
            key=f"{begins}:books",
            reason=_K.BOOKS_DIFFER,
            evidence=told,
            reference=one.reference,
            payment=one.payment,
            amount=Rupiah(abs(one.due - one.booked)),
        )


def recorded(
    one: Differing, lines: Sequence[EvidenceLine], until: datetime
) -> RecordedPayment | None:
    """Return a payment of the record that can be booked; None if a person has to decide what to book.

    The compared days of the record must contain the capture of the payment, with its full sum and the provider's number.  If
    they began after the capture, the record would seem to have too little money.
    """
    is_whole = one.captured > 0 and one.captured_ours - one.suspended in (0, one.captured)
    if not is_whole or "/" in one.payment:
        return None
    sums: dict[tuple[str | None, str | None], int] = defaultdict(int)
    for line in lines:
        sign = _REFUNDED.get(MovementKind(line.kind))
        if sign:
            sums[line.refund_no, line.provider_refund_no if not line.refund_no else None] += (
                sign * line.amount
            )
    numbers = {line.refund_no: line.provider_refund_no for line in lines if line.refund_no}
    return RecordedPayment(
        number=one.payment,
        reference=one.reference,
        captured=Rupiah(one.captured),
        charged_back=Rupiah(max(one.charged_back, 0)),
        refunds=[
            RefundLine(
                ours, numbers.get(ours) if ours else theirs, one.payment, Rupiah(max(rupiah, 0))
            )
            for (ours, theirs), rupiah in sums.items()
        ],
        until=until,
    )


def fact_breaks(of: Days, found: Iterable[Unmatched], differing: frozenset[str]) -> Iterator[Break]:
    """Yield a break for each payment whose reference or time differs between record and books, except the payments `differing`,
    whose sums differ too.
    """
    for one in found:
        if one.payment is None or one.payment in differing or one.captured_at is None:
            continue
        is_another = one.learned_by != "operator" and one.reference not in (None, one.our_reference)
        yield Break(
            key=f"{key_of_payments(of.provider)}{one.payment}:facts",
            reason=_K.PAYMENT_FACTS_DIFFER,
            evidence=evidence(
                day=of.day,
                record={"reference": one.reference, "moved_at": one.moved_at},
                ours={"reference": one.our_reference, "captured_at": one.captured_at},
                differs="reference" if is_another else "time",
            ),
            reference=one.our_reference,
            payment=one.payment,
            amount=Rupiah(one.amount),
        )


def transfer_breaks(found: Iterable[OfBuyer]) -> Iterator[Break]:
    """Yield breaks for a buyer whose transfers differ between statement and books: one for the rupiah sent, one for the rupiah
    returned.
    """
    for one in found:
        for name, sign in (("gone", -1), ("back", 1)):
            there, least, ours = (getattr(one, f"{name}{part}") for part in ("", "_least", "_ours"))
            missing = there - ours if there > ours else min(there - least, 0)
            missing -= sign * one.written_off if missing else 0
            if missing:
                yield Break(
                    key=f"{key_of_payments(FLOAT)}{one.account}:{name}",
                    reason=_K.FLOAT_DIFFERS,
                    evidence=evidence(**one._asdict()),
                    reference=show("acc", one.account),
                    amount=Rupiah(abs(missing)),
                    difference=sign * missing,
                )


def _grows(provider: str, line: EvidenceLine) -> int:
    """Return 1 if a line adds money to the account that the record is about, -1 if it takes money away, 0 if that is unknown.

    If the kind of the line does not show the direction, the text of the line ends with `in` or `out`.
    """
    kind, side = MovementKind(line.kind), line.line.rpartition(" ")[2]
    if provider in STATEMENTS and kind in _STATED:
        return _STATED[kind]
    return _CLEARED.get(kind) or {"in": 1, "out": -1}.get(side, 0)


def line_breaks(of: Days, found: Iterable[EvidenceLine]) -> Iterator[Break]:
    """Yield a break for each line of the record that belongs to no payment or transfer: settlements, lines of the operator's
    accounts, and others.
    """
    seen: dict[str, int] = defaultdict(int)
    for one in found:
        kind = MovementKind(one.kind)
        reason = _K.LINE_UNPLACED
        if kind is MovementKind.SETTLEMENT:
            reason = _K.SETTLEMENT_NOT_BOOKED
        if of.provider in STATEMENTS:
            reason = _K.ACCOUNT_MOVED if of.provider == ACCOUNT else _K.FLOAT_MOVED
        named = one.refund_no or one.provider_refund_no or one.payment or one.reference or one.line
        name, grows = f"{one.kind}:{named}:{one.amount}", _grows(of.provider, one)
        seen[name] += 1
        yield Break(
            key=f"{key_of_day(of)}{name}:{seen[name]}",
            reason=reason,
            evidence=evidence(
                day=of.day, provider=of.provider, rupiah=grows * one.amount, lines=_told([one])
            ),
            reference=one.refund_no or one.reference,
            payment=one.payment,
            amount=Rupiah(one.amount),
            difference=0 if of.provider == ACCOUNT else grows * one.amount,
        )


def side(item: RecordItem) -> Side:
    """Parse the evidence of an open item in suspense into one side of a movement of money between two accounts of ours."""
    told = msgspec.json.decode(item.evidence)
    [line] = told["lines"]
    names = (line.get(name) for name in ("reference", "payment", "counterpart"))
    return Side(item.id, told["provider"], told.get("rupiah", 0), frozenset(filter(None, names)))


def pairs(found: Sequence[Side]) -> Iterator[tuple[Side, Side]]:
    """Yield pairs of open items in suspense about the same money, which left one account of ours and came to another.

    One of these two accounts is always the operator's own account.  The two lines must have a number in common, or the line of
    the operator's account must name the other account.
    """
    ours = [one for one in found if one.provider == ACCOUNT]
    for one in found:
        for other in ours if one.provider != ACCOUNT else ():
            names_it = one.provider in other.names or one.names & other.names
            if other.rupiah == -one.rupiah != 0 and names_it:
                ours.remove(other)
                yield one, other
                break


def unmatched_breaks(of: Days, found: Sequence[UnmatchedLine], count: int) -> Iterator[Break]:
    """Yield a break for each unmatched line in `found`.

    `count` is the number of all unmatched lines.  If `found` has fewer lines, one more break stands for the lines that are left
    out.
    """
    for one in found:
        digest = hashlib.sha256(f"{one.why}\n{one.told}".encode()).hexdigest()
        yield Break(
            key=f"{key_of_day(of)}odd:{digest}",
            reason=_K.LINE_UNREADABLE,
            evidence=evidence(day=of.day, provider=of.provider, why=one.why, line=one.told),
        )
    if count > len(found):
        yield too_many(of, "unreadable", count - len(found))


def too_many(of: Days, what: str, count: int) -> Break:
    """Return the single break that stands for differences of the kind `what` which are too many to list; `count` is their
    number.
    """
    return Break(
        key=f"{key_of_day(of)}many:{what}:{count}",
        reason=_K.LINES_TOO_MANY,
        evidence=evidence(day=of.day, provider=of.provider, what=what, count=count),
    )


def change_breaks(of: Days, found: Iterable[Changed]) -> Iterator[Break]:
    """Yield a break for each sum that changed since the record was read before.  Its `difference` is 0, since nothing is to be
    booked; its `amount` is the change.
    """
    for one in found:
        yield Break(
            key=f"{key_of_day(of)}changed:{of.reading}:{one.kind}:{one.key}",
            reason=_K.RECORD_CHANGED,
            evidence=evidence(
                day=of.day,
                provider=of.provider,
                what=one.key,
                kind=one.kind,
                before=one.before,
                now=one.now,
            ),
            reference=one.key,
            amount=Rupiah(abs(one.now - one.before)) if one.now != one.before else None,
        )


def key_of_fee(of: Days, reason: BreakKind, *, is_agreed: bool = False) -> str:
    """Return the prefix of the keys of items in suspense that are about the fees of a day, or about the tax on them."""
    return f"{key_of_day(of)}{reason}:{'agreed:' if is_agreed else ''}"


def fee_breaks(
    of: Days,
    counted: ReadingCounts,
    agreed: Fees,
    booked: Mapping[str, int],
    unmatched: Sequence[FeeTold],
) -> tuple[list[Break], list[Break]]:
    """Return (breaks to be booked at once, other breaks) about those fees and taxes of a day that are not booked yet.

    Fees and taxes are booked at once as far as they are as agreed.  `booked` has the rupiah that were booked before, by
    kind.
    """
    to_book: list[Break] = []
    left: list[Break] = []
    for reason, rupiah, fits in (
        (_K.FEE_NOT_BOOKED, counted.fee, agreed.fee),
        (_K.TAX_NOT_BOOKED, counted.tax, agreed.tax),
    ):
        before, of_it = booked.get(reason, 0), booked.get(f"{reason}:agreed", 0)
        more = max(min(fits - of_it, rupiah - before), 0)
        for is_agreed, sums in ((True, more), (False, rupiah - before - more)):
            if not sums:
                continue
            begins = key_of_fee(of, reason, is_agreed=is_agreed)
            told = evidence(
                day=of.day,
                provider=of.provider,
                sum=rupiah,
                agreed=fits,
                lines=[] if is_agreed else [one._asdict() for one in unmatched],
            )
            (to_book if is_agreed else left).append(
                Break(
                    key=f"{begins}{before if is_agreed else before + more}:{rupiah}",
                    reason=reason,
                    evidence=told,
                    reference=f"{of.provider} {of.day}",
                    amount=Rupiah(abs(sums)),
                    difference=-sums,
                )
            )
    return to_book, left


def missing(of: Days, why: str) -> Break:
    """Return the break for a record that is missing at the hour at which it should have been compared."""
    return Break(
        key=f"{key_of_day(of)}missing",
        reason=_K.RECORD_MISSING,
        evidence=evidence(day=of.day, provider=of.provider, why=why),
        reference=f"{of.provider} {of.day}",
    )


def unreadable_file(of: Days, name: str, why: str, sha256: bytes) -> Break:
    """Return the break of a file that was refused as a record; `why` is the code of the fault."""
    return Break(
        # A file without a day belongs to no record, so a person resolves its item.
        key=f"record:{of.provider}:{NO_DAY}:{sha256.hex()}"
        if why == NO_DAY
        else f"{key_of_day(of)}file:{sha256.hex()}",
        reason=_K.FILE_UNREADABLE,
        evidence=evidence(
            day=of.day, provider=of.provider, file=name, why=why, sha256=sha256.hex()
        ),
        reference=name[:100],
    )
