"""Steps of a draw: their requirements, and the times at which they are refused."""

import pytest
from msgspec.structs import replace

from meterai.draw.protocol import rules, steps
from meterai.draw.protocol.chain import RoundForged, time_of
from meterai.draw.protocol.merkle import root_of
from meterai.draw.protocol.record import DrawRecord, RecordMalformed, read, write
from meterai.draw.protocol.rules import BrokenTerm, broken_terms, round_time
from standins.drand import signature_of
from tests.support.draws import CLOSES_AT, Operator, announced, drawn_record, entries_of

ENTRIES = entries_of(20)
ROOT, ORDER = root_of(ENTRIES), "00" * 32
OPERATOR = Operator()


def opened() -> DrawRecord:
    return steps.announce(announced(), CLOSES_AT - 1, OPERATOR)


def closed() -> DrawRecord:
    return steps.close(opened(), ROOT, len(ENTRIES), CLOSES_AT + 5, OPERATOR)


# -- announcement -----------------------------------------------------------------------


def test_round_follows_from_the_times() -> None:
    plan = announced()
    assert broken_terms(plan) == []
    assert round_time(plan) >= plan.published_by + rules.MARGIN_SECONDS
    assert time_of(plan.chain, plan.round - 1) < plan.published_by + rules.MARGIN_SECONDS


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ({"rules": 2}, BrokenTerm.RULES),
        ({"line": ""}, BrokenTerm.LINE),
        ({"line": "Meterai"}, BrokenTerm.LINE),
        ({"line": "../x"}, BrokenTerm.LINE),
        ({"line": "a\n"}, BrokenTerm.LINE),
        ({"round": 1}, BrokenTerm.ROUND),
        ({"round": announced().round + 1}, BrokenTerm.ROUND),
        ({"closes_at": 0}, BrokenTerm.TIMES),
        ({"published_by": CLOSES_AT + 299}, BrokenTerm.TIMES),
        ({"published_by": CLOSES_AT + 59, "reveals_until": CLOSES_AT + 59}, BrokenTerm.TIMES),
        ({"reveals_until": CLOSES_AT + 301}, BrokenTerm.TIMES),
        (
            {"closes_at": 1 << 50, "published_by": 1 << 51, "reveals_until": 1 << 51},
            BrokenTerm.TIMES,
        ),
        ({"chain": replace(announced().chain, period=0)}, BrokenTerm.CHAIN),
        ({"chain": replace(announced().chain, scheme="pedersen-bls-chained")}, BrokenTerm.CHAIN),
        ({"chain": replace(announced().chain, public_key="00")}, BrokenTerm.CHAIN),
        ({"replaces": "ab" * 32}, BrokenTerm.REPLACES),
        ({"reason": "the weather"}, BrokenTerm.REPLACES),
        ({"replaces": "no hash", "reason": "a slip"}, BrokenTerm.REPLACES),
    ],
)
def test_broken_rule_is_named(change, term: str) -> None:
    plan = replace(announced(), **change)
    assert broken_terms(plan) == [term]
    with pytest.raises(steps.AnnouncementUnfair):
        steps.announce(plan, CLOSES_AT - 1, OPERATOR)


# -- closing --------------------------------------------------------------------------------------


def test_list_is_closed_only_in_its_time() -> None:
    plan = opened().announcement
    for at in (CLOSES_AT, plan.published_by):
        assert steps.close(opened(), ROOT, 20, at, OPERATOR).closing is not None
    with pytest.raises(steps.StepTooEarly):
        steps.close(opened(), ROOT, 20, CLOSES_AT - 1, OPERATOR)
    # Otherwise the operator could know the round before the root was public.
    with pytest.raises(steps.StepTooLate):
        steps.close(opened(), ROOT, 20, plan.published_by + 1, OPERATOR)


# -- result ---------------------------------------------------------------------------------------


def test_finish_requires_the_valid_round() -> None:
    plan = closed().announcement
    for signature, refusal in [
        ("", RoundForged),
        (signature_of(plan.round + 1), RoundForged),
        ("00" * 48, RoundForged),
    ]:
        with pytest.raises(refusal):
            steps.finish(closed(), ORDER, signature, round_time(plan), OPERATOR)


def test_only_a_late_draw_is_void() -> None:
    last = announced().published_by
    assert not steps.is_void(opened(), last)
    assert steps.is_void(opened(), last + 1)
    for sound in (closed(), drawn_record(ENTRIES)):
        assert not steps.is_void(sound, 1 << 39)


def test_new_announcement_names_the_old_one_and_has_more_time() -> None:
    old, replaced = announced(), "ab" * 32
    at = old.published_by + 5
    spans = []
    for _ in range(8):
        old = rules.announced_anew(old, replaced, "the power failed", at)
        assert broken_terms(old) == []
        assert (old.replaces, old.line, old.chain) == (replaced, "meterai", announced().chain)
        assert old.closes_at > at
        spans.append(old.published_by - old.closes_at)
    assert spans == [600, 1_200, 2_400, 3_600, 3_600, 3_600, 3_600, 3_600]


# -- the record -----------------------------------------------------------------------------------


def test_record_is_read_as_written() -> None:
    record = drawn_record(ENTRIES)
    assert read(write(record)) == record
    for count in range(1, len(record.parts)):
        shorter = replace(record, parts=record.parts[:count])
        assert read(write(shorter)) == shorter


def test_malformed_record_is_refused() -> None:
    record = drawn_record(ENTRIES)
    text = write(record)
    one, two, three = record.parts
    for parts in [(), (two,), (one, three), (two, one), (one, two, two), (one, two, three, three)]:
        with pytest.raises(RecordMalformed):
            read(write(replace(record, parts=parts)))
    for other in [
        b"",
        b"{}",
        b"[" * 100_000,
        b"\xff" * 10,
        text[:-3],
        text + b"{}",
        text.replace(b"meterai draw 1", b"meterai draw 2"),
        text.replace(b'"parts"', b'"more": 1, "parts"'),
        text.ljust(1 << 19),
        write(replace(record, public_key="00")),
        write(replace(record, parts=(replace(one, body="{}"), two, three))),
    ]:
        with pytest.raises(RecordMalformed):
            read(other)
