"""Commands of lines, also with malformed arguments; and proofs verified by strangers."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from meterai.commands import Exit
from meterai.plumbing.signed import DocumentSigner
from meterai.waiting_room.service import RECEIPT, WaitingRoom
from tests.support.commands import Done, run_here
from tests.support.lines import BUYING
from tests.support.within import settings_of, within

FAR = f"{datetime.now(UTC) + timedelta(days=60):%Y-%m}"  # a month within the bound of a moment
PAST = f"{datetime.now(UTC) - timedelta(days=60):%Y-%m-%d}"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "keys").mkdir()
    return tmp_path


def typed(data: Path, url: str, *words: str, **more: str) -> Done:
    return run_here(data, *words, DATABASE_URL=url, **more)


def trail(url: str) -> list[tuple[str, str, Any]]:
    with psycopg.connect(url) as connection:
        return connection.execute(
            "SELECT action, actor, facts FROM audit_events WHERE starts_with(subject, 'lin_')"
            " ORDER BY happened_at"
        ).fetchall()


ACTS = (
    ("line_rate_set", ("line", "rate", BUYING, "--rate", "3")),
    ("line_paused", ("line", "pause", BUYING, "--reason-id", "bank", "--reason-en", "the bank")),
    ("line_resumed", ("line", "resume", BUYING)),
    ("line_stands", ("line", "stand", BUYING, "always")),
    ("line_closing_set", ("line", "close", BUYING, "--at", f"{FAR}-01T00:00+07:00")),
    ("line_ended", ("line", "end", BUYING, "--reason", "over")),
    ("line_created", ("line", "create", BUYING, "--act", "buy", "--rate", "2")),
)


def test_each_act_is_recorded_and_listed(data: Path, database_url: str) -> None:
    for _, words in ACTS:
        done = typed(data, database_url, *words, "--by", "budi")
        assert done.returncode == Exit.DONE, done.stderr
        assert BUYING in done.stdout
    found = trail(database_url)
    assert [action for action, _, _ in found] == [action for action, _ in ACTS]
    assert {actor for _, actor, _ in found} == {"operator:budi"}
    listed = json.loads(typed(data, database_url, "line", "list", "--json").stdout)
    assert [one["state"] for one in listed] == ["ended", "planned"]


NONSENSE = {
    "no such line": ("line", "pause", "nothing", "--reason-id", "x", "--reason-en", "x"),
    "a rate of nothing": ("line", "rate", BUYING, "--rate", "0"),
    "a rate below nothing": ("line", "rate", BUYING, "--rate", "-1"),
    "a rate that is no number": ("line", "rate", BUYING, "--rate", "nan"),
    "a rate without end": ("line", "rate", BUYING, "--rate", "inf"),
    "a rate in words": ("line", "rate", BUYING, "--rate", "fast"),
    "a moment in words": ("line", "close", BUYING, "--at", "tomorrow"),
    "a moment before the first year": (
        *("line", "create", "early", "--act", "buy", "--opens-at", "0001-01-01T00:00+14:00"),
    ),
    "a moment after the last year": (
        *("line", "close", BUYING, "--at", "9999-12-31T23:59:59.999999-14:00"),
    ),
    "a moment of no zone": ("line", "close", BUYING, "--at", f"{FAR}-01T00:00"),
    "a reason of a book": ("line", "pause", BUYING, "--reason-id", "x" * 300, "--reason-en", "x"),
    "a reason of two lines": ("line", "pause", BUYING, "--reason-id", "a\nb", "--reason-en", "x"),
    "a name of two words": ("line", "create", "a b", "--act", "check"),
    "an act that is none": ("line", "create", "x", "--act", "dance"),
    "a line that is there": ("line", "create", BUYING, "--act", "check"),
    "an act that has a line": ("line", "create", "x", "--act", "buy"),
    "an end before the beginning": (
        *("line", "create", "x", "--act", "check", "--opens-at", f"{FAR}-02T00:00+07:00"),
        *("--closes-at", f"{FAR}-01T00:00+07:00"),
    ),
    "an end before now": (
        *("line", "create", "x", "--act", "check", "--closes-at", f"{PAST}T00:00+07:00"),
    ),
    "entries without an opening": (
        *("line", "create", "x", "--act", "check", "--gathers-at", f"{FAR}-01T00:00+07:00"),
    ),
    "standing otherwise": ("line", "stand", BUYING, "sometimes"),
}


@pytest.mark.parametrize("what", NONSENSE)
@pytest.mark.parametrize("language", ["id", "en"])
def test_malformed_arguments_are_refused_and_change_nothing(
    data: Path, database_url: str, what: str, language: str
) -> None:
    done = typed(data, database_url, *NONSENSE[what], LANGUAGE=language, LANG=f"{language}.UTF-8")
    assert done.returncode not in (Exit.DONE, Exit.FAULT)
    assert (done.stderr + done.stdout).strip()
    assert "Traceback" not in done.stderr
    assert trail(database_url) == []


# -- proofs ----------------------------------------------------------------------------------------


@pytest.fixture
def proof(data: Path, database_url: str) -> tuple[Path, Path, dict[str, Any]]:
    """A saved proof, the fetched public key, and the facts of the proof."""

    async def fetch() -> tuple[bytes, bytes]:
        async with within(settings_of(database_url, data)) as web:
            room = web.container.of(WaitingRoom)
            await room.look()
            ticket = await room.take_place(room.line(BUYING))
            cookie = {"cookie": f"ticket-{BUYING}={room.tokens.ticket(ticket)}"}
            saved = await web.get(f"/lines/{BUYING}/receipt", cookie)
            return saved.body, (await web.get("/lines/key.pem")).body

    saved, pem = asyncio.run(fetch())
    file, key = data / "proof.json", data / "key.pem"
    file.write_bytes(saved)
    key.write_bytes(pem)
    return file, key, json.loads(saved)


def checked(data: Path, file: Path, key: Path) -> Done:
    return run_here(data, "line", "check-proof", str(file), "--key", str(key))


def test_proof_of_a_place_is_verified_with_the_public_key(
    data: Path, proof: tuple[Path, Path, Any]
) -> None:
    file, key, _ = proof
    done = checked(data, file, key)
    assert done.returncode == Exit.DONE, done.stderr
    assert "line: buying" in done.stdout
    assert "number: 1" in done.stdout
    assert "was_in_time: True" in done.stdout


def test_altered_proof_is_refused(data: Path, proof: tuple[Path, Path, Any]) -> None:
    file, key, facts = proof
    whole = file.read_text()
    other = DocumentSigner(b"x" * 32)
    wrong: list[str | bytes] = [
        whole.replace(facts["payload"][:10], "A" * 10),
        json.dumps(facts | {"payload": facts["payload"][:-4]}),
        json.dumps(facts | {"signature": facts["signature"][::-1]}),
        json.dumps(facts | {"protected": "e30"}),
        json.dumps({name: facts[name] for name in ("payload", "signature")}),
        other.sign(RECEIPT, {"line": "buying"}),
        whole[: len(whole) // 2],
        "",
        "[]",
        '"x"',
        "[" * 50_000,
        b"\xff\xfe",
        b"\x00" * 200_000,
    ]
    for content in wrong:
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        done = checked(data, file, key)
        assert done.returncode not in (Exit.DONE, Exit.FAULT), content[:60]
        assert "Traceback" not in done.stderr
