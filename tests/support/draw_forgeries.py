"""What an operator, or somebody else, would forge of a draw, and what must be found then.

Whoever has the operator's key signs everything anew with it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from meterai.waiting_room.draw.merkle import root_of
from meterai.waiting_room.draw.record import Kind, Record, RoundUse, extended, hash_of
from meterai.waiting_room.draw.rules import round_time
from meterai.waiting_room.draw.verification import Found
from standins.drand import signature_of
from tests.support.draws import (
    CHAIN,
    CLOSES_AT,
    Holder,
    Operator,
    announced,
    drawn_record,
    entries_of,
    finished,
)

ENTRIES = entries_of(300)
HOLDERS = [Holder("Ombudsman"), Holder("YLKI")]
OPERATOR = Operator()


@dataclass
class Draw:
    """A draw whose parts may be made dishonestly, by who has the operator's key."""

    entries: list[bytes]
    record: Record

    def redone(self, kind: Kind, change: Callable[..., Any]) -> "Draw":
        """Change one part and sign it; the parts behind it are linked to it and signed anew."""
        record = replace(self.record, parts=())
        for part in self.record.parts:
            body = getattr(self.record, part.kind.value)
            if part.kind is kind:
                body = change(body)
            if record.parts:
                body = replace(body, after=hash_of(record.parts[-1]).hex())
            record = extended(record, body, OPERATOR)
        return Draw(self.entries, record)

    def drawn_again(self) -> "Draw":
        """The result that follows from what now stands before it."""
        before = replace(
            self.record, parts=tuple(p for p in self.record.parts if p.kind is not Kind.RESULT)
        )
        signature = signature_of(before.announcement.round)
        return Draw(self.entries, finished(before, self.entries, signature, OPERATOR))


def honest(holders: Sequence[Holder] = HOLDERS) -> Draw:
    return Draw(list(ENTRIES), drawn_record(ENTRIES, holders))


def entry_added() -> Draw:
    draw = honest()
    return Draw(sorted([*draw.entries, b"after the closing"[:16]]), draw.record)


def entry_added_and_counted() -> Draw:
    draw = entry_added()
    return draw.redone(Kind.CLOSING, lambda body: replace(body, count=301))


def entry_removed() -> Draw:
    draw = honest()
    return Draw(draw.entries[1:], draw.record)


def entry_exchanged() -> Draw:
    draw = honest()
    return Draw(sorted([*draw.entries[1:], b"\x00" * 16]), draw.record)


def root_replaced() -> Draw:
    # The list and its root, both, after the reveals: the parties revealed to another closing.
    draw = entry_exchanged()
    root = root_of(draw.entries).hex()
    return draw.redone(Kind.CLOSING, lambda body: replace(body, root=root)).drawn_again()


def round_replaced() -> Draw:
    draw = honest()
    return draw.redone(
        Kind.ANNOUNCEMENT, lambda body: replace(body, round=body.round + 1)
    ).drawn_again()


def round_of_another() -> Draw:
    draw = honest()
    return draw.redone(
        Kind.RESULT,
        lambda body: replace(
            body, round_signature=signature_of(draw.record.announcement.round + 1)
        ),
    )


def times_moved_after_the_fact() -> Draw:
    # With other times another round follows: only the parties, or a saved copy, show it.
    draw = honest()

    def later(body):
        return replace(
            body,
            published_by=body.published_by + 60,
            reveals_until=body.reveals_until + 60,
            round=body.round + 2,
        )

    return draw.redone(Kind.ANNOUNCEMENT, later).drawn_again()


def seed_of_another_line() -> Draw:
    draw, other = (
        honest(),
        drawn_record(ENTRIES, [Holder(h.name, "cpns") for h in HOLDERS], line="cpns"),
    )
    stolen = other.result
    assert stolen is not None
    return draw.redone(
        Kind.RESULT, lambda body: replace(body, seed=stolen.seed, order=stolen.order)
    )


def closing_of_another_line() -> Draw:
    return honest(()).redone(Kind.CLOSING, lambda body: replace(body, line="cpns")).drawn_again()


def reveal_changed() -> Draw:
    def other(body):
        first, *rest = body.revealed
        return replace(body, revealed=(replace(first, secret="00" * 32), *rest))

    return honest().redone(Kind.REVEALS, other).drawn_again()


def reveal_left_out() -> Draw:
    # All had revealed; one is dropped and not named.
    return (
        honest()
        .redone(Kind.REVEALS, lambda body: replace(body, revealed=body.revealed[:1]))
        .drawn_again()
    )


def reveal_dropped_once_the_round_was_known() -> Draw:
    late = round_time(announced(HOLDERS)) + 1
    return (
        honest()
        .redone(
            Kind.REVEALS,
            lambda body: replace(body, revealed=body.revealed[:1], missing=("YLKI",), at=late),
        )
        .drawn_again()
    )


def reveals_reordered() -> Draw:
    return honest().redone(
        Kind.REVEALS, lambda body: replace(body, revealed=tuple(reversed(body.revealed)))
    )


def round_used_without_need() -> Draw:
    draw = Draw(list(ENTRIES), drawn_record(ENTRIES, HOLDERS, use=RoundUse.IF_MISSING))
    signature = signature_of(draw.record.announcement.round)
    return draw.redone(Kind.RESULT, lambda body: replace(body, round_signature=signature))


def closed_late() -> Draw:
    return honest().redone(Kind.CLOSING, lambda body: replace(body, at=CLOSES_AT + 301))


def drawn_before_the_round() -> Draw:
    return honest().redone(Kind.RESULT, lambda body: replace(body, at=CLOSES_AT + 400))


def order_exchanged() -> Draw:
    return honest().redone(Kind.RESULT, lambda body: replace(body, order="00" * 32))


def order_by_another_seed() -> Draw:
    return honest().redone(Kind.RESULT, lambda body: replace(body, seed="00" * 32))


def count_of_the_result() -> Draw:
    return honest().redone(Kind.RESULT, lambda body: replace(body, count=299))


def beacon_of_the_operator() -> Draw:
    # All is well made, by a chain that only the operator has the keys of.
    draw = honest(())
    chain = replace(CHAIN, beacon="quicknet", genesis_time=CHAIN.genesis_time)
    return draw.redone(Kind.ANNOUNCEMENT, lambda body: replace(body, chain=chain)).drawn_again()


def signed_by_another() -> Draw:
    return Draw(list(ENTRIES), drawn_record(ENTRIES, HOLDERS, operator=Operator(2)))


def part_changed_without_the_key() -> Draw:
    draw = honest()
    one, two, three, four = draw.record.parts
    changed = replace(two, body=two.body.replace('"count":300', '"count":301'))
    return Draw(draw.entries, replace(draw.record, parts=(one, changed, three, four)))


def part_of_another_draw() -> Draw:
    draw, other = honest(), drawn_record(entries_of(300, 1000), HOLDERS)
    one, _, three, four = draw.record.parts
    return Draw(draw.entries, replace(draw.record, parts=(one, other.parts[1], three, four)))


FORGERIES: dict[Callable[[], Draw], set[Found]] = {
    entry_added: {Found.LIST_COUNT, Found.LIST_ROOT, Found.ORDER_FALSE},
    entry_added_and_counted: {
        Found.LIST_ROOT,
        Found.RESULT_COUNT,
        Found.REVEAL_FALSE,
        Found.SEED_FALSE,
        Found.ORDER_FALSE,
    },
    entry_removed: {Found.LIST_COUNT, Found.LIST_ROOT, Found.ORDER_FALSE},
    entry_exchanged: {Found.LIST_ROOT, Found.ORDER_FALSE},
    root_replaced: {Found.REVEAL_FALSE},
    round_replaced: {Found.TERMS_BROKEN, Found.REVEAL_FALSE},
    round_of_another: {Found.ROUND_FALSE},
    times_moved_after_the_fact: {Found.REVEAL_FALSE},
    seed_of_another_line: {Found.SEED_FALSE},
    closing_of_another_line: {Found.LINE_ANOTHER},
    reveal_changed: {Found.REVEAL_FALSE},
    reveal_left_out: {Found.REVEALS_INCOMPLETE},
    reveal_dropped_once_the_round_was_known: {Found.REVEALS_AT_WRONG_TIME},
    reveals_reordered: {Found.REVEALS_INCOMPLETE},
    round_used_without_need: {Found.ROUND_NOT_ALLOWED},
    closed_late: {Found.CLOSED_AT_WRONG_TIME, Found.REVEAL_FALSE},
    drawn_before_the_round: {Found.ROUND_BEFORE_ITS_TIME},
    order_exchanged: {Found.ORDER_FALSE},
    order_by_another_seed: {Found.SEED_FALSE, Found.ORDER_FALSE},
    count_of_the_result: {Found.RESULT_COUNT},
    beacon_of_the_operator: {Found.BEACON_UNKNOWN},
    signed_by_another: {Found.KEY_ANOTHER},
    part_changed_without_the_key: {
        Found.SIGNATURE_BROKEN,
        Found.LINK_BROKEN,
        Found.LIST_COUNT,
        Found.RESULT_COUNT,
        Found.REVEAL_FALSE,
        Found.SEED_FALSE,
    },
    part_of_another_draw: {
        Found.LINK_BROKEN,
        Found.LIST_ROOT,
        Found.REVEAL_FALSE,
        Found.SEED_FALSE,
    },
}
# What a stranger sees without checking signatures, times, and whose beacon it is.
NOT_IN_THIRTY_LINES = {
    root_replaced,  # the parties' signatures
    round_replaced,  # that the round follows from the times
    times_moved_after_the_fact,
    reveal_changed,
    reveal_left_out,
    reveal_dropped_once_the_round_was_known,
    reveals_reordered,
    round_used_without_need,
    closed_late,
    drawn_before_the_round,
    beacon_of_the_operator,
    signed_by_another,
}
