"""The steps of a draw: what each needs, and at which time it would let somebody choose."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from meterai.waiting_room.draw import rules, steps
from meterai.waiting_room.draw.chain import RoundForged, time_of
from meterai.waiting_room.draw.merkle import root_of
from meterai.waiting_room.draw.parties import Party, commitment_of, is_true
from meterai.waiting_room.draw.record import Record, RecordMalformed, RoundUse, read, write
from meterai.waiting_room.draw.rules import Terms, broken_terms, round_time
from standins.drand import signature_of
from tests.support.draws import (
    CLOSES_AT,
    Holder,
    Operator,
    announced,
    drawn_record,
    entries_of,
)

ENTRIES = entries_of(20)
ROOT, ORDER = root_of(ENTRIES), "00" * 32
OPERATOR = Operator()
HOLDERS = [Holder("Ombudsman"), Holder("YLKI"), Holder("Universitas")]


def opened(holders=(), use: RoundUse = RoundUse.ALWAYS) -> Record:
    return steps.announce(announced(holders, use), CLOSES_AT - 1, OPERATOR)


def closed(holders=(), use: RoundUse = RoundUse.ALWAYS) -> Record:
    record = opened(holders, use)
    return steps.close(record, ROOT, len(ENTRIES), CLOSES_AT + 5, OPERATOR)


# -- what may be announced -----------------------------------------------------------------------


@pytest.mark.parametrize("holders", [(), HOLDERS])
def test_the_round_follows_from_the_times(holders) -> None:
    plan = announced(holders)
    assert broken_terms(plan) == []
    assert round_time(plan) >= plan.reveals_until + rules.MARGIN_SECONDS
    assert time_of(plan.chain, plan.round - 1) < plan.reveals_until + rules.MARGIN_SECONDS


@pytest.mark.parametrize(
    ("change", "term"),
    [
        ({"rules": 2}, Terms.RULES),
        ({"line": ""}, Terms.LINE),
        ({"line": "Meterai"}, Terms.LINE),
        ({"line": "../x"}, Terms.LINE),
        ({"line": "a\n"}, Terms.LINE),
        ({"round": 1}, Terms.ROUND),
        ({"round": announced().round + 1}, Terms.ROUND),
        ({"round_is_used": RoundUse.IF_MISSING}, Terms.ROUND_USE),
        ({"closes_at": 0}, Terms.TIMES),
        ({"published_by": CLOSES_AT + 299}, Terms.TIMES),
        ({"published_by": CLOSES_AT + 59, "reveals_until": CLOSES_AT + 59}, Terms.TIMES),
        ({"reveals_until": CLOSES_AT + 301}, Terms.TIMES),
        ({"closes_at": 1 << 50, "published_by": 1 << 51, "reveals_until": 1 << 51}, Terms.TIMES),
        ({"chain": replace(announced().chain, period=0)}, Terms.CHAIN),
        ({"chain": replace(announced().chain, scheme="pedersen-bls-chained")}, Terms.CHAIN),
        ({"chain": replace(announced().chain, public_key="00")}, Terms.CHAIN),
        ({"replaces": "ab" * 32}, Terms.REPLACES),
        ({"reason": "the weather"}, Terms.REPLACES),
        ({"replaces": "no hash", "reason": "a slip"}, Terms.REPLACES),
        ({"parties": (Party("A", "00", "00" * 32),)}, Terms.PARTIES),
        ({"parties": (HOLDERS[0].party, HOLDERS[0].party)}, Terms.PARTIES),
        ({"parties": tuple(Holder(f"P{n}").party for n in range(17))}, Terms.PARTIES),
    ],
)
def test_what_the_rules_do_not_allow_is_named(change, term: str) -> None:
    plan = replace(announced(), **change)
    assert broken_terms(plan) == [term]
    with pytest.raises(steps.AnnouncementUnfair):
        steps.announce(plan, CLOSES_AT - 1, OPERATOR)


def test_parties_reveal_after_the_root_is_public() -> None:
    plan = replace(announced(HOLDERS), reveals_until=CLOSES_AT + 299)
    assert Terms.TIMES in broken_terms(plan)


def test_nothing_is_announced_after_the_list_closes() -> None:
    with pytest.raises(steps.StepTooLate):
        steps.announce(announced(), CLOSES_AT, OPERATOR)


# -- closing --------------------------------------------------------------------------------------


def test_a_list_is_closed_in_its_time() -> None:
    plan = opened().announcement
    for at in (CLOSES_AT, plan.published_by):
        assert steps.close(opened(), ROOT, 20, at, OPERATOR).closing is not None
    with pytest.raises(steps.StepTooEarly):
        steps.close(opened(), ROOT, 20, CLOSES_AT - 1, OPERATOR)
    # Then the operator could know the round before the root was public.
    with pytest.raises(steps.StepTooLate):
        steps.close(opened(), ROOT, 20, plan.published_by + 1, OPERATOR)


def test_a_list_is_closed_once() -> None:
    with pytest.raises(RecordMalformed):
        steps.close(closed(), ROOT, 20, CLOSES_AT + 6, OPERATOR)


# -- reveals --------------------------------------------------------------------------------------


def test_all_reveal_before_the_time_is_over() -> None:
    record = closed(HOLDERS)
    told = [holder.reveal(record) for holder in reversed(HOLDERS)]
    reveals = steps.reveal(record, told, CLOSES_AT + 6, OPERATOR).reveals
    assert reveals is not None
    assert [one.name for one in reveals.revealed] == [holder.name for holder in HOLDERS]
    assert reveals.missing == ()


def test_who_is_missing_is_said_after_their_time_and_before_the_round() -> None:
    record = closed(HOLDERS)
    told = [HOLDERS[0].reveal(record)]
    plan = record.announcement
    with pytest.raises(steps.StepTooEarly):
        steps.reveal(record, told, plan.reveals_until - 1, OPERATOR)
    for at in (plan.reveals_until, round_time(plan) - 1):
        reveals = steps.reveal(record, told, at, OPERATOR).reveals
        assert reveals is not None
        assert reveals.missing == ("YLKI", "Universitas")
    with pytest.raises(steps.StepTooLate):
        steps.reveal(record, told, round_time(plan), OPERATOR)


def test_where_nobody_is_missing_there_is_no_hurry() -> None:
    record = closed(HOLDERS)
    told = [holder.reveal(record) for holder in HOLDERS]
    assert steps.reveal(record, told, round_time(record.announcement) + 99, OPERATOR).reveals


@pytest.mark.parametrize(
    "forged",
    [
        lambda one, other: replace(one, secret="00" * 32),
        lambda one, other: replace(one, secret="x"),
        lambda one, other: replace(one, signature="00" * 64),
        lambda one, other: replace(one, signature=""),
        lambda one, other: replace(other, name=one.name),
        lambda one, other: replace(one, name="Somebody"),
    ],
)
def test_a_reveal_that_was_not_committed_to_is_refused(forged) -> None:
    record = closed(HOLDERS)
    one, other, third = (holder.reveal(record) for holder in HOLDERS)
    with pytest.raises(steps.RevealForged):
        steps.reveal(record, [forged(one, other), other, third], CLOSES_AT + 6, OPERATOR)


def test_a_reveal_is_for_one_closing() -> None:
    record, another = closed(HOLDERS), opened(HOLDERS)
    another = steps.close(another, root_of(ENTRIES[1:]), 19, CLOSES_AT + 5, OPERATOR)
    with pytest.raises(steps.RevealForged):
        steps.reveal(
            record, [holder.reveal(another) for holder in HOLDERS], CLOSES_AT + 6, OPERATOR
        )


def test_a_commitment_is_of_one_party_and_one_line() -> None:
    # Who repeats another's commitment, to repeat the secret once it is revealed, gains nothing.
    pairs = [("a", "b"), ("a", "c"), ("c", "b"), ("ab", ""), ("", "ab"), ("b", "a")]
    assert len({commitment_of(*names, b"s" * 32) for names in pairs}) == len(pairs)
    record = closed(HOLDERS)
    honest = HOLDERS[0].reveal(record)
    copied = replace(HOLDERS[1].party, commitment=HOLDERS[0].party.commitment)
    assert is_true(honest, HOLDERS[0].party, "meterai", bytes.fromhex("00" * 32)) is False
    assert not is_true(replace(honest, name="YLKI"), copied, "meterai", b"c" * 32)


# -- result ---------------------------------------------------------------------------------------


def test_the_round_is_needed_and_must_hold() -> None:
    plan = closed().announcement
    for signature, refusal in [
        ("", steps.RoundNeeded),
        (signature_of(plan.round + 1), RoundForged),
        ("00" * 48, RoundForged),
    ]:
        with pytest.raises(refusal):
            steps.finish(closed(), ORDER, signature, round_time(plan), OPERATOR)


def test_with_parties_there_is_no_result_without_reveals() -> None:
    record = closed(HOLDERS)
    with pytest.raises(RecordMalformed):
        steps.finish(record, ORDER, signature_of(record.announcement.round), 1 << 31, OPERATOR)


def test_a_round_in_reserve_is_used_only_where_somebody_is_missing() -> None:
    whole = drawn_record(ENTRIES, HOLDERS, use=RoundUse.IF_MISSING)
    lacking = drawn_record(ENTRIES, HOLDERS, silent=["YLKI"], use=RoundUse.IF_MISSING)
    assert whole.result is not None
    assert lacking.result is not None
    assert whole.result.round_signature == ""
    assert lacking.result.round_signature == signature_of(lacking.announcement.round)
    assert whole.result.seed != lacking.result.seed


@given(st.sets(st.sampled_from([holder.name for holder in HOLDERS])))
def test_who_is_silent_changes_the_seed(silent: set[str]) -> None:
    whole, lacking = (drawn_record(ENTRIES, HOLDERS, silent=[*who]) for who in (set(), silent))
    assert whole.result is not None
    assert lacking.result is not None
    assert (whole.result.seed == lacking.result.seed) == (not silent)


def test_only_what_cannot_be_carried_out_is_void() -> None:
    plan = announced(HOLDERS)
    opening, waiting = opened(HOLDERS), closed(HOLDERS)
    assert steps.why_void(opening, plan.published_by) == ""
    assert steps.why_void(opening, plan.published_by + 1) == "closed_too_late"
    assert steps.why_void(waiting, round_time(plan) - 1) == ""
    assert steps.why_void(waiting, round_time(plan)) == "missing_too_late"
    # Once who is missing was said in time, or where there are no parties, a draw is never void.
    told = steps.reveal(waiting, [], plan.reveals_until, OPERATOR)
    for sound in (told, closed(), drawn_record(ENTRIES, HOLDERS)):
        assert steps.why_void(sound, 1 << 39) == ""


def test_what_is_announced_anew_names_what_it_replaces_and_has_more_time() -> None:
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
    with_parties = rules.announced_anew(
        announced(HOLDERS), replaced, "why", at, (HOLDERS[0].party,)
    )
    assert broken_terms(with_parties) == []
    assert with_parties.reveals_until - with_parties.published_by == 600


# -- the record -----------------------------------------------------------------------------------


@pytest.mark.parametrize("holders", [(), HOLDERS])
def test_a_record_is_read_as_it_was_written(holders) -> None:
    record = drawn_record(ENTRIES, holders)
    assert read(write(record)) == record
    for count in range(1, len(record.parts)):
        shorter = replace(record, parts=record.parts[:count])
        assert read(write(shorter)) == shorter


def test_what_is_no_record_is_refused() -> None:
    record = drawn_record(ENTRIES, HOLDERS)
    text = write(record)
    one, two, three, four = record.parts
    for parts in [(), (two,), (one, three), (one, two, four), (two, one), (one, two, two)]:
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
        write(replace(record, parts=(replace(one, body="{}"), two, three, four))),
    ]:
        with pytest.raises(RecordMalformed):
            read(other)


@given(st.data())
def test_a_truncated_record_is_refused(data: st.DataObject) -> None:
    text = write(drawn_record(ENTRIES))
    with pytest.raises(RecordMalformed):
        read(text[: data.draw(st.integers(0, len(text) - 3))])
