"""The public script of thirty lines derives the same as our rules from random readings."""

import random
import runpy
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from meterai.kit.components import Component
from meterai.outages.model import WatcherSource
from meterai.outages.record import OutageRecord, embedded, needed_for, packed, signed
from meterai.outages.rules import JOIN_MINUTES, Derived, Signed, derive
from meterai.plumbing.readings import KIND, Measured, read_reading
from meterai.plumbing.signed import DocumentSigner
from tests.outages.test_verification import STRANGER
from tests.support.readings import HERE, SigningWatcher, at, fails

MINUTES = 90
SIGNER = DocumentSigner(b"o" * 32)
NAMES = ("a", "b", "c", "d")


def watcher(name: str, chance: random.Random) -> SigningWatcher:
    """A watcher that is randomly cut off, loses lines, sets its clock back and measures other installations."""
    made, minute = SigningWatcher(name), -3
    while minute < MINUTES + 3:
        made.installation = HERE if chance.random() < 0.98 else "https://other.example"
        tried = [one for one in Component if chance.random() < 0.95]
        made.sign(
            at(minute),
            {one: Measured(chance.randrange(4), failures=chance.randrange(4)) for one in tried},
        )
        minute += chance.choices((1, 2, 9, 0, -4), (90, 4, 1, 1, 2))[0]
    made.documents = [one for one in made.documents if chance.random() < 0.98]
    return made


def record_of(watchers: list[SigningWatcher], found: Derived) -> OutageRecord:
    sources = [(one.name, one.signer.public_key().hex()) for one in watchers]
    texts = [packed(one.known(), one.documents)[0] for one in watchers]
    return OutageRecord(
        record="out_a",
        by=HERE,
        operator="PT SPECIMEN",
        begin=at(0),
        end=at(MINUTES),
        incident="",
        replaces="",
        confirmed_at=datetime(2024, 9, 5, tzinfo=UTC),
        confirmed_by_persons=2,
        specimen=True,
        rules=1,
        join_minutes=JOIN_MINUTES,
        needed_for=needed_for(),
        failed=found.failed,
        unmeasured=found.unmeasured,
        left_out=found.left_out,
        watchers=[
            embedded(WatcherSource(name, key, 0, ""), text)
            for (name, key), text in zip(sources, texts, strict=True)
        ],
    )


@pytest.mark.parametrize("seed", range(20))
def test_public_script_derives_the_same_periods_from_random_readings(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    chance = random.Random(seed)
    watchers = [watcher(name, chance) for name in NAMES[: chance.randint(1, 4)]]
    found = derive({one.name: one.documents for one in watchers}, at(0), at(MINUTES), HERE)
    assert found.left_out, "chance had something for the rules"
    file, keys = tmp_path / "record.json", tmp_path / "keys.pem"
    file.write_text(signed(record_of(watchers, found), SIGNER))
    keys.write_bytes(SIGNER.public_pem())
    monkeypatch.setattr(sys, "argv", ["verify_outage.py", str(file), str(keys)])
    runpy.run_path(str(STRANGER))
    periods = sum(map(len, found.failed.values()))
    assert capsys.readouterr().out.count("failed from") == periods


def test_public_script_reads_a_reading_without_zero_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = SigningWatcher("jakarta").measure(range(MINUTES), fails(3))
    facts = msgspec.to_builtins(made.documents[-1].reading)
    for one in facts["components"].values():
        del one["failures"]
    document = made.signer.sign(KIND, facts)
    made.documents[-1] = Signed(document, read_reading(document, made.signer.public_key()))
    found = derive({made.name: made.documents}, at(0), at(MINUTES), HERE)
    file, keys = tmp_path / "record.json", tmp_path / "keys.pem"
    file.write_text(signed(record_of([made], found), SIGNER))
    keys.write_bytes(SIGNER.public_pem())
    monkeypatch.setattr(sys, "argv", ["verify_outage.py", str(file), str(keys)])
    runpy.run_path(str(STRANGER))
    assert capsys.readouterr().out.count("failed from") == 1
