"""Run a command as an operator does, in an environment with the given settings alone."""

import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import pytest
import structlog

from meterai.apps.cli import build, main
from meterai.apps.program import program_of
from meterai.apps.rooms import ROOMS
from meterai.kit.ids import new_id, show
from meterai.room import Rooms

ROOT = Path(__file__).parents[2]

COMMANDS = program_of().commands
APP = build(program_of())
# Input of the operator for each command that asks for confirmation.
ARGUMENTS: dict[str, tuple[str, ...]] = {
    "accounts create": ("ani@example.id",),
    "accounts keys": ("nobody@example.id",),
    "accounts end-key": ("nobody@example.id", show("key", new_id())),
    "approvals show": (show("apr", new_id()),),
    "approvals approve": (show("apr", new_id()), "--by", "ani@example.id"),
    "approvals decline": (show("apr", new_id()), "--note", "no", "--by", "ani@example.id"),
    "approvals withdraw": (show("apr", new_id()), "--by", "ani@example.id"),
    "refunds ask": (show("ord", new_id()), "--reason", "asked by mail"),
    "refunds show": (show("rfd", new_id()),),
    "refunds retry": (show("rfd", new_id()), "--reason", "asked by mail"),
    "refunds reroute": (show("rfd", new_id()), "--reason", "asked by mail"),
    "refunds accept-account": (show("clm", new_id()), "--reason", "seen"),
    "refunds decline-account": (show("clm", new_id()), "--reason", "seen"),
    "sessions end": ("nobody@example.id",),
    "staff give": ("nobody@example.id", "support"),
    "staff end": ("nobody@example.id", "support"),
    "organizations approve": (show("acc", new_id()), "--reason", "known to us"),
    "organizations decline": (show("acc", new_id()), "--reason", "unknown"),
    "collectors approve": (
        *(show("acc", new_id()), "--name", "PT Pungut", "--limit", "1000000", "--reason", "signed"),
    ),
    "collectors change": (
        *(show("acc", new_id()), "--name", "PT Pungut", "--limit", "1000000", "--reason", "signed"),
    ),
    "collectors close": (show("acc", new_id()), "--reason", "asked by letter"),
    "collectors confirm": (
        *(show("acc", new_id()), "0123456789ABCDEF", "--month", "2026-11", "--rupiah", "10000"),
        *("--paid-on", "2026-12-14", "--reason", "seen"),
    ),
    "distributors approve": (
        *(show("acc", new_id()), "--seller", "Toko", "--fee", "1000", "--region", "Jawa Barat"),
        *("--reason", "signed"),
    ),
    "distributors change": (
        *(show("acc", new_id()), "--seller", "Toko", "--fee", "1000", "--region", "Jawa Barat"),
        *("--reason", "signed"),
    ),
    "distributors close": (show("acc", new_id()), "--reason", "asked by letter"),
    "sales show": (show("sal", new_id()),),
    "batches show": (show("bat", new_id()),),
    "finance channels": ("2026-11",),
    "webhooks deliveries": (show("whk", new_id()),),
    "webhooks replay": (
        *(show("whk", new_id()), "--since", "2026-11-01"),
        *("--reason", "the receiver was away"),
    ),
    "deposits refund": (show("acc", new_id()), "10000", "--reason", "asked by letter"),
    "staff first": ("nobody@example.id",),
    "breaks match": (show("sus", new_id()), "P1", "--note", "seen"),
    "breaks apply": (
        *(show("sus", new_id()), "--order", show("ord", new_id())),
        *("--email", "nobody@example.id", "--note", "seen"),
    ),
    "breaks return": (show("sus", new_id()), "--number", "B1", "--note", "seen"),
    "breaks fee": (show("sus", new_id()), "--note", "seen"),
    "breaks write-off": (show("sus", new_id()), "--note", "seen"),
    "breaks dismiss": (show("sus", new_id()), "--note", "seen"),
    "reconcile": ("2026-11-29",),
    "issuing stop": ("a flood",),
    "rails out": ("bank", "maintenance"),
    "rails in": ("bank",),
    "line create": ("formasi", "--act", "check"),
    "line rate": ("buying", "--rate", "3"),
    "line pause": ("buying", "--reason-id", "bank", "--reason-en", "the bank"),
    "line resume": ("buying",),
    "line close": ("buying", "--at", "2030-01-01T00:00+07:00"),
    "line stand": ("buying", "always"),
    "line end": ("buying", "--reason", "no longer needed"),
    "line draw": ("buying",),
    "line draw-round": ("buying", "00"),
    "line draw-again": ("buying", "--reason", "the power failed"),
    "draw verify": (str(ROOT / "LICENSE"),),
    "draw show": (str(ROOT / "LICENSE"),),
    "draw prove": (str(ROOT / "LICENSE"), "00" * 16),
    "incidents open": (
        *("Pembelian mati", "Buying is down", "--components", "buying=major_outage"),
        *("--text-id", "Kami cari sebabnya.", "--text-en", "We look for the cause."),
    ),
    "incidents update": (show("inc", new_id()), "--text-id", "Kabar", "--text-en", "News"),
    "incidents announce": (
        *("Pemeliharaan", "Maintenance", "--components", "checking"),
        *("--begins-at", "2030-01-01T00:00+07:00", "--ends-at", "2030-01-01T02:00+07:00"),
        *("--text-id", "Kabar", "--text-en", "News"),
    ),
    "incidents cancel": (show("inc", new_id()), "--text-id", "Kabar", "--text-en", "News"),
    "recover next": ("stampings",),
    "recover back": ("closing",),
    "incidents resolve": (show("inc", new_id()), "--text-id", "Kabar", "--text-en", "News"),
    "incidents review": (show("inc", new_id()), "--changed-id", "Kabar", "--changed-en", "News"),
    "cases hand-over": ("2026-09-01", "2026-10-01", "--file", "/nowhere/file.csv"),
    "cases check-answer": (str(ROOT / "LICENSE"), "--key", str(ROOT / "LICENSE")),
    "outage propose": ("2026-09-03T19:00+07:00", "2026-09-03T21:00+07:00"),
    "outage confirm": (show("out", new_id()), "--reason", "seen"),
    "outage withdraw": (show("out", new_id()), "--reason", "wrong time"),
    "outage verify": (str(ROOT / "LICENSE"), "--keys", str(ROOT / "LICENSE")),
    "privacy export": ("nobody@example.id", "--out", "/nowhere/copy.zip"),
    "breaches open": (
        *("2026-09-01", "all", "--exposed-id", "a", "--exposed-en", "a", "--happened-id", "a"),
        *("--happened-en", "a", "--handling-id", "a", "--handling-en", "a"),
    ),
    "breaches tell": (show("brc", new_id()), "agency"),
    "breaches close": (show("brc", new_id()),),
    "statements close": ("2026-10", "--reason", "every day is there"),
    "finance statement": ("day", "2026-11-30"),
    "finance export": ("2026-10", "--out", "/dev/null/finance"),
    "finance ledger": (
        *("--from", "2026-10-01", "--to", "2026-11-01"),
        *("--out", "/dev/null/books.beancount"),
    ),
    "finance close": ("2026-10-31", "--reason", "nothing is unexplained"),
    "finance payout propose": ("10000", "2026-10", "--reason", "duty of October"),
    "finance payout send": (show("pyo", new_id()), "820251234567890"),
    "finance payout confirm": (
        *(show("pyo", new_id()), "--line", "7", "--amount", "10000"),
        *("--at", "2026-11-10T10:00+07:00", "--ntpn", "0A1B2C3D4E5F6G7H"),
    ),
    "finance payout fail": (show("pyo", new_id()), "--reason", "the bank closed"),
    "finance verify": (str(ROOT / "LICENSE"), "--key", str(ROOT / "LICENSE")),
    "collectors feed": ("2026-11", "--out", "/nowhere/extracts"),
    "regulator extract": ("2026-10", "--out", "/nowhere/extracts"),
    "regulator check": ("/nowhere/extracts", "--key", str(ROOT / "LICENSE")),
    "evidence make": ("1R5V772E07000TGC01DY53", "--out", "/nowhere/evidence.zip"),
    "evidence verify": (str(ROOT / "LICENSE"), "--key", str(ROOT / "LICENSE")),
    "line check-proof": (str(ROOT / "LICENSE"), "--key", str(ROOT / "LICENSE")),
    "jobs retry": ("all",),
    "seal": (str(ROOT / "tests/sealing/releases/1/plain.pdf"), "/nowhere/target.pdf"),
    "verify": (str(ROOT / "tests/sealing/releases/1/plain.pdf"),),
    "verify-claim": ("HTTPS://METERAI.EXAMPLE/C/0/0",),
    "issuer appoint": ("development-1",),
    "backup": ("/nowhere/backup",),
    "restore": ("/nowhere/backup", "--keys", "/nowhere/keys"),
    "pages": ("--out", "/nowhere/pages"),
    "rehearse": ("small",),
    "watch run": ("/nowhere/watch.toml",),
    "watch key": ("/nowhere/watch.toml",),
    "watch once": ("/nowhere/watch.toml",),
    "watch note": (
        *("/nowhere/watch.toml", "buying", "major_outage"),
        *("--id", "Bank tidak menjawab.", "--en", "The bank does not answer."),
    ),
    "assess": ("/nowhere/run.json", "--out", "/nowhere/report"),
    "plan": (
        *("--applicants", "100", "--hours", "0.1", "--replications", "3"),
        *("--service-ms", "20", "--servers", "1"),
    ),
}
# These commands run until they are stopped and share their metrics across processes. That must be configured
# before any metric exists, and in this process metrics exist already.
SERVING = frozenset({"up", "web", "worker", "standins"})


def do(folder: Path, command: str, **settings: str) -> "Done":
    """Run a command together with the input that it asks for."""
    how = run if command in SERVING else run_here
    return how(folder, *command.split(), *ARGUMENTS.get(command, ()), **settings)


def environment(settings: dict[str, str]) -> dict[str, str]:
    """An environment with these settings only. Settings of the platform in the shell are left out."""
    others = {
        name: value
        for name, value in os.environ.items()
        if name != "DATABASE_URL" and not name.startswith("METERAI_")
    }
    return others | settings


def run(data: Path, *words: str, **settings: str) -> "Done":
    """Run `meterai WORDS --data DATA` as a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "meterai", *words, "--data", str(data)],
        cwd=ROOT,
        env=environment(settings),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Done:
    """Output of a command and its exit status."""

    returncode: int
    stdout: str
    stderr: str


def run_here(data: Path, *words: str, given: str = "", **settings: str) -> Done:
    """Run a command in this process, for quick commands that serve nothing. `given` is its standard input."""
    return run_with(ROOMS, data, *words, given=given, **settings)


def run_with(rooms: Rooms, data: Path, *words: str, given: str = "", **settings: str) -> Done:
    """Run a command of an application with these rooms, in this process."""
    out, err = StringIO(), StringIO()
    status: object = 0
    with pytest.MonkeyPatch.context() as world, redirect_stdout(out), redirect_stderr(err):
        for name in set(os.environ) - set(environment(settings)):
            world.delenv(name)
        for name, value in settings.items():
            world.setenv(name, value)
        world.setattr(sys, "stdin", StringIO(given))
        before = structlog.get_config()
        try:
            main([*words, "--data", str(data)], rooms)
        except SystemExit as ended:
            status = ended.code
        finally:
            structlog.configure(**before)
    assert status is None or isinstance(status, int)
    return Done(status or 0, out.getvalue(), err.getvalue())
