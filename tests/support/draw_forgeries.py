"""Forgeries of a draw by an operator or a stranger, and the findings that each must cause.

A forger who has the operator's key can sign everything anew.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from meterai.draw.protocol.merkle import root_of
from meterai.draw.protocol.record import DrawRecord, RecordPartKind, extended, hash_of
from meterai.draw.protocol.verification import DrawFindingKind
from standins.drand import signature_of
from tests.support.draws import (
    CHAIN,
    CLOSES_AT,
    Operator,
    drawn_record,
    entries_of,
    finished,
)

ENTRIES = entries_of(300)
OPERATOR = Operator()


@dataclass
class Draw:
    """A draw whose parts can be changed dishonestly by a holder of the operator's key."""

    entries: list[bytes]
    record: DrawRecord

    def redone(self, kind: RecordPartKind, change: Callable[..., Any]) -> "Draw":
        """Change one part and sign it. The later parts are linked to it and signed anew."""
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
        """Replace the result by the one that follows from the current earlier parts."""
        before = replace(
            self.record,
            parts=tuple(p for p in self.record.parts if p.kind is not RecordPartKind.RESULT),
        )
        signature = signature_of(before.announcement.round)
        return Draw(self.entries, finished(before, self.entries, signature, OPERATOR))


def honest() -> Draw:
    return Draw(list(ENTRIES), drawn_record(ENTRIES))


def entry_added() -> Draw:
    draw = honest()
    return Draw(sorted([*draw.entries, b"after the closing"[:16]]), draw.record)


def entry_added_and_counted() -> Draw:
    draw = entry_added()
    return draw.redone(RecordPartKind.CLOSING, lambda body: replace(body, count=301))


def entry_removed() -> Draw:
    draw = honest()
    return Draw(draw.entries[1:], draw.record)


def entry_exchanged() -> Draw:
    draw = honest()
    return Draw(sorted([*draw.entries[1:], b"\x00" * 16]), draw.record)


def root_replaced() -> Draw:
    # The list and its root were changed together: only a saved copy shows it.
    draw = entry_exchanged()
    root = root_of(draw.entries).hex()
    return draw.redone(RecordPartKind.CLOSING, lambda body: replace(body, root=root)).drawn_again()


def round_replaced() -> Draw:
    draw = honest()
    return draw.redone(
        RecordPartKind.ANNOUNCEMENT, lambda body: replace(body, round=body.round + 1)
    ).drawn_again()


def round_of_another() -> Draw:
    draw = honest()
    return draw.redone(
        RecordPartKind.RESULT,
        lambda body: replace(
            body, round_signature=signature_of(draw.record.announcement.round + 1)
        ),
    )


def times_moved_after_the_fact() -> Draw:
    # Other times lead to another round: only a saved copy shows it.
    draw = honest()

    def later(body):
        return replace(
            body,
            published_by=body.published_by + 60,
            reveals_until=body.reveals_until + 60,
            round=body.round + 2,
        )

    return draw.redone(RecordPartKind.ANNOUNCEMENT, later).drawn_again()


def seed_of_another_line() -> Draw:
    draw, other = honest(), drawn_record(ENTRIES, line="cpns")
    stolen = other.result
    assert stolen is not None
    return draw.redone(
        RecordPartKind.RESULT, lambda body: replace(body, seed=stolen.seed, order=stolen.order)
    )


def closing_of_another_line() -> Draw:
    return (
        honest()
        .redone(RecordPartKind.CLOSING, lambda body: replace(body, line="cpns"))
        .drawn_again()
    )


def closed_late() -> Draw:
    return honest().redone(RecordPartKind.CLOSING, lambda body: replace(body, at=CLOSES_AT + 301))


def drawn_before_the_round() -> Draw:
    return honest().redone(RecordPartKind.RESULT, lambda body: replace(body, at=CLOSES_AT + 340))


def order_exchanged() -> Draw:
    return honest().redone(RecordPartKind.RESULT, lambda body: replace(body, order="00" * 32))


def order_by_another_seed() -> Draw:
    return honest().redone(RecordPartKind.RESULT, lambda body: replace(body, seed="00" * 32))


def count_of_the_result() -> Draw:
    return honest().redone(RecordPartKind.RESULT, lambda body: replace(body, count=299))


def beacon_of_the_operator() -> Draw:
    # Everything is consistent, with a chain whose keys only the operator has.
    draw = honest()
    chain = replace(CHAIN, beacon="quicknet", genesis_time=CHAIN.genesis_time)
    return draw.redone(
        RecordPartKind.ANNOUNCEMENT, lambda body: replace(body, chain=chain)
    ).drawn_again()


def signed_by_another() -> Draw:
    return Draw(list(ENTRIES), drawn_record(ENTRIES, operator=Operator(2)))


def part_changed_without_the_key() -> Draw:
    draw = honest()
    one, two, three = draw.record.parts
    changed = replace(two, body=two.body.replace('"count":300', '"count":301'))
    return Draw(draw.entries, replace(draw.record, parts=(one, changed, three)))


def part_of_another_draw() -> Draw:
    draw, other = honest(), drawn_record(entries_of(300, 1000))
    one, _, three = draw.record.parts
    return Draw(draw.entries, replace(draw.record, parts=(one, other.parts[1], three)))


FORGERIES: dict[Callable[[], Draw], set[DrawFindingKind]] = {
    entry_added: {
        DrawFindingKind.LIST_COUNT,
        DrawFindingKind.LIST_ROOT,
        DrawFindingKind.ORDER_FALSE,
    },
    entry_added_and_counted: {
        DrawFindingKind.LIST_ROOT,
        DrawFindingKind.RESULT_COUNT,
        DrawFindingKind.SEED_FALSE,
        DrawFindingKind.ORDER_FALSE,
    },
    entry_removed: {
        DrawFindingKind.LIST_COUNT,
        DrawFindingKind.LIST_ROOT,
        DrawFindingKind.ORDER_FALSE,
    },
    entry_exchanged: {DrawFindingKind.LIST_ROOT, DrawFindingKind.ORDER_FALSE},
    round_replaced: {DrawFindingKind.TERMS_BROKEN},
    round_of_another: {DrawFindingKind.ROUND_FALSE},
    seed_of_another_line: {DrawFindingKind.SEED_FALSE},
    closing_of_another_line: {DrawFindingKind.LINE_ANOTHER},
    closed_late: {DrawFindingKind.CLOSED_AT_WRONG_TIME},
    drawn_before_the_round: {DrawFindingKind.ROUND_BEFORE_ITS_TIME},
    order_exchanged: {DrawFindingKind.ORDER_FALSE},
    order_by_another_seed: {DrawFindingKind.SEED_FALSE, DrawFindingKind.ORDER_FALSE},
    count_of_the_result: {DrawFindingKind.RESULT_COUNT},
    beacon_of_the_operator: {DrawFindingKind.BEACON_UNKNOWN},
    signed_by_another: {DrawFindingKind.KEY_ANOTHER},
    part_changed_without_the_key: {
        DrawFindingKind.SIGNATURE_BROKEN,
        DrawFindingKind.LINK_BROKEN,
        DrawFindingKind.LIST_COUNT,
        DrawFindingKind.RESULT_COUNT,
        DrawFindingKind.SEED_FALSE,
    },
    part_of_another_draw: {
        DrawFindingKind.LINK_BROKEN,
        DrawFindingKind.LIST_ROOT,
        DrawFindingKind.SEED_FALSE,
    },
}
# The operator alone can do these before a copy is saved. A copy saved in time shows them.
UNSEEN_WITHOUT_A_COPY = (root_replaced, times_moved_after_the_fact)
# Forgeries that the public script does not find: it checks neither signatures, nor the time of the result, nor the publisher of the
# beacon.
NOT_IN_THE_SCRIPT = {
    drawn_before_the_round,
    beacon_of_the_operator,
    signed_by_another,
}
