"""Draws are recomputed from their public files; every forgery is named, by us and by the public script."""

import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from meterai.draw.protocol import chain as drand
from meterai.draw.protocol.entries import EntriesMalformed, lines_of, read_lines
from meterai.draw.protocol.merkle import proof_of
from meterai.draw.protocol.order import in_order
from meterai.draw.protocol.record import DrawRecord, RecordOfParties, RecordPartKind, read, write
from meterai.draw.protocol.verification import (
    DrawFinding,
    DrawFindingKind,
    DrawQuestion,
    Inclusion,
    Judgement,
    examine,
    judge,
)
from tests.support.draw_forgeries import (
    ENTRIES,
    FORGERIES,
    NOT_IN_THE_SCRIPT,
    OPERATOR,
    UNSEEN_WITHOUT_A_COPY,
    entry_added,
    entry_exchanged,
    entry_removed,
    honest,
)
from tests.support.draws import (
    CHAIN,
    drawn_record,
    entries_of,
)

OLD = Path(__file__).parent / "with_parties"
SCRIPT = Path(__file__).parents[2] / "docs" / "draw" / "verify_draw.py"
KEY = OPERATOR.public_key.hex()
TRUSTED = drand.hash_of(CHAIN)


def examined(record: DrawRecord, entries: Sequence[bytes] | None, **asked) -> list[DrawFinding]:
    asked = {"public_key": KEY, "chain_hash": TRUSTED, **asked}
    return list(examine(record, DrawQuestion(entries=entries, **asked)))


def what(findings: list[DrawFinding], judgement: Judgement) -> set[DrawFindingKind]:
    return {one.found for one in findings if one.judgement is judgement}


def strangers(folder: Path, record: DrawRecord, text: bytes, *entry: bytes):
    """Run the script of docs/draw; return whether the draw is valid, and its output."""
    (folder / "draw.json").write_bytes(write(record))
    (folder / "entries.txt").write_bytes(text)
    return script_says(folder, *entry)


def script_says(folder: Path, *entry: bytes) -> tuple[bool, str]:
    words: list[str | Path] = [
        folder / "draw.json",
        folder / "entries.txt",
        *(one.hex() for one in entry),
    ]
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT, *words], capture_output=True, text=True, check=False
    )
    return done.returncode == 0, done.stdout + done.stderr


def test_honest_draw_is_valid_for_us_and_the_public_script(tmp_path) -> None:
    record = drawn_record(ENTRIES)
    result = record.result
    assert result is not None
    ordered = list(in_order(ENTRIES, bytes.fromhex(result.seed)))
    for number in (1, 2, 150, 300):
        entry = ordered[number - 1]
        findings = examined(record, ENTRIES, entry=entry, number=number)
        assert judge(findings) is Judgement.HOLDS, findings
        assert findings[-1].facts["number"] == number
    holds, said = strangers(tmp_path, record, b"".join(lines_of(ENTRIES)), ordered[149])
    assert holds, said
    assert f"300 entries, round {record.announcement.round}" in said
    assert said.endswith("number 150\n")


def test_draw_with_parties_is_refused_by_us_and_valid_for_the_public_script(tmp_path) -> None:
    text, entries = ((OLD / name).read_bytes() for name in ("draw.json", "entries.txt"))
    with pytest.raises(RecordOfParties):
        read(text)
    told = json.loads(text)
    for count in (1, 2, 3):
        with pytest.raises(RecordOfParties):
            read(json.dumps(told | {"parts": told["parts"][:count]}).encode())
    (tmp_path / "draw.json").write_bytes(text)
    (tmp_path / "entries.txt").write_bytes(entries)
    holds, said = script_says(tmp_path)
    assert holds, said
    assert said.startswith("holds if the parties had committed to their secrets: 7 entries")
    (tmp_path / "entries.txt").write_bytes(entries[33:])
    assert not script_says(tmp_path)[0]


@pytest.mark.parametrize(
    "unfair",
    [
        {"round_is_used": "when a party withholds its secret"},
        {"round": 1},
        {"published_by": 1_800_003_000},
        {"reveals_until": 1_800_003_000},
    ],
    ids=str,
)
def test_public_script_refuses_a_round_that_could_be_chosen_or_left_out(tmp_path, unfair) -> None:
    told = json.loads((OLD / "draw.json").read_bytes())
    (tmp_path / "entries.txt").write_bytes((OLD / "entries.txt").read_bytes())
    before = ""
    for part in told["parts"]:
        body = json.loads(part["body"]) | (unfair if part["kind"] == "announcement" else {})
        part["body"] = json.dumps(body | ({"after": before} if before else {}))
        words = f"meterai draw 1 {part['kind']}\n{part['body']}"
        before = hashlib.sha256(words.encode()).hexdigest()
    (tmp_path / "draw.json").write_text(json.dumps(told))
    holds, said = script_says(tmp_path)
    assert not holds
    assert re.search("round|times", said.splitlines()[-1]), said


@pytest.mark.parametrize("count", [0, 1, 2])
def test_draw_of_few_entries_or_none_is_valid(tmp_path, count: int) -> None:
    entries = entries_of(count)
    record = drawn_record(entries)
    assert judge(examined(record, entries)) is Judgement.HOLDS
    holds, said = strangers(tmp_path, record, b"".join(lines_of(entries)))
    assert holds, said


# -- forgeries ------------------------------------------------------------------------------------


@pytest.mark.parametrize("forgery", FORGERIES, ids=lambda one: one.__name__)
def test_forgery_is_named(forgery, tmp_path) -> None:
    draw = forgery()
    findings = examined(draw.record, draw.entries)
    assert what(findings, Judgement.BROKEN) >= FORGERIES[forgery], findings
    assert judge(findings) is Judgement.BROKEN
    holds, said = strangers(tmp_path, draw.record, b"".join(lines_of(draw.entries)))
    assert holds == (forgery in NOT_IN_THE_SCRIPT), said


@pytest.mark.parametrize(
    "forgery",
    [
        *(one for one in FORGERIES if one not in {entry_added, entry_removed, entry_exchanged}),
        *UNSEEN_WITHOUT_A_COPY,
    ],
    ids=lambda one: one.__name__,
)
def test_saved_copy_reveals_a_later_change(forgery) -> None:
    saved, draw = honest().record, forgery()
    found = examined(draw.record, draw.entries, saved=saved)
    assert DrawFindingKind.SAVED_DIFFERS in {one.found for one in found}
    # A copy from before the closing is the beginning of the later record.
    early = replace(saved, parts=saved.parts[:1])
    found = examined(saved, ENTRIES, saved=early)
    assert DrawFindingKind.SAVED_SAME in {one.found for one in found}


def test_swapped_number_is_named(tmp_path) -> None:
    draw = honest()
    result = draw.record.result
    assert result is not None
    first, second, *_ = in_order(ENTRIES, bytes.fromhex(result.seed))
    for entry, number in ((first, 2), (second, 1)):
        findings = examined(draw.record, ENTRIES, entry=entry, number=number)
        assert what(findings, Judgement.BROKEN) == {DrawFindingKind.NUMBER_ANOTHER}
    _, said = strangers(tmp_path, draw.record, b"".join(lines_of(ENTRIES)), first)
    assert said.endswith("number 1\n")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:-1],
        lambda text: text[: len(text) // 2],
        lambda text: text[33:],
        lambda text: text + text[-33:],
        lambda text: text[33:66] + text[:33] + text[66:],
        lambda text: b"x" + text[1:],
        lambda text: b"",
    ],
)
def test_malformed_list_is_refused(spoil, tmp_path) -> None:
    record, text = honest().record, spoil(b"".join(lines_of(ENTRIES)))
    try:
        entries = read_lines([text])
    except EntriesMalformed:
        assert len(text) != 299 * 33
    else:
        assert judge(examined(record, entries)) is Judgement.BROKEN
    # The script ignores a missing last line feed.
    assert strangers(tmp_path, record, text)[0] is (len(text) == 300 * 33 - 1)


def test_unfinished_draw_is_judged_open() -> None:
    record = honest().record
    opened = {1: {DrawFindingKind.NOT_CLOSED}, 2: {DrawFindingKind.NOT_DRAWN}}
    for count in (1, 2):
        findings = examined(replace(record, parts=record.parts[:count]), ENTRIES)
        assert judge(findings) is Judgement.OPEN
        assert what(findings, Judgement.OPEN) == opened[count]
    findings = examined(record, None)
    assert what(findings, Judgement.OPEN) == {DrawFindingKind.LIST_MISSING}
    assert what(examined(record, ENTRIES, public_key=""), Judgement.OPEN) == {
        DrawFindingKind.KEY_UNCHECKED
    }


def test_entry_is_proved_without_the_list() -> None:
    record = honest().record
    proof = tuple(one.hex() for one in proof_of(ENTRIES, 123))
    shown = Inclusion(ENTRIES[123].hex(), 123, 300, proof)
    assert judge(examined(record, None, inclusion=shown)) is Judgement.HOLDS
    for other in [
        replace(shown, entry=ENTRIES[124].hex()),
        replace(shown, index=124),
        replace(shown, count=301),
        replace(shown, proof=proof[1:]),
        replace(shown, proof=("zz", *proof[1:])),
        replace(shown, entry="nothing"),
    ]:
        findings = examined(record, None, inclusion=other)
        assert what(findings, Judgement.BROKEN) == {DrawFindingKind.NOT_INCLUDED}
    findings = examined(record, ENTRIES, entry=b"somebody else ..")
    assert what(findings, Judgement.BROKEN) == {DrawFindingKind.NOT_INCLUDED}


def test_replacing_draw_is_reported() -> None:
    draw = honest().redone(
        RecordPartKind.ANNOUNCEMENT,
        lambda body: replace(body, replaces="ab" * 32, reason="power failed"),
    )
    findings = examined(draw.drawn_again().record, ENTRIES)
    assert judge(findings) is Judgement.HOLDS
    (said,) = (one for one in findings if one.found is DrawFindingKind.REPLACES)
    assert said.facts == {"replaced": "ab" * 32, "reason": "power failed"}
