"""`meterai-batch DIR`: killed between any two steps and started again, it stamps each document once."""

import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from meterai_client.journal import NAME, Journal, JournalUnreadable

from tests.support.commands import ROOT
from tests.support.instance import Client, Instance, until
from tests.support.pdf import pdf

START = "from meterai_client.batch_command import main; main()"
# Dies as by a power cut with its first step: when it was done and before that was written down, or just after.
DIES = """
import os, signal
from meterai_client.journal import Journal
note = Journal.note
def dies(self, **step):
    {then}
    os.kill(os.getpid(), signal.SIGKILL)
Journal.note = dies
"""
UNWRITTEN, WRITTEN = DIES.format(then="pass"), DIES.format(then="note(self, **step)")
STEPS = ("key", "batch", "sent", "rows", "started", "done")


@pytest.fixture
def customer(audited: Instance) -> Client:
    return audited.customer()


def folder_of(path: Path, count: int) -> Path:
    (path / "more").mkdir()
    for number in range(count):
        (path / f"surat-{number}.pdf").write_bytes(pdf(words=f"Surat {number}"))
    (path / "more" / "surat-0.pdf").write_bytes(pdf(words="Another of this name"))
    (path / "broken.pdf").write_bytes(b"%PDF-1.7 and nothing more")
    return path


def begun(folder: Path, customer: Client, *words: str, first: str = "") -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", first + START, str(folder), "--url", customer.url, *words],
        env=os.environ
        | {"PYTHONPATH": str(ROOT / "clients" / "python"), "METERAI_KEY": customer.key or ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_folder_is_stamped_once_however_often_the_command_is_killed(
    customer: Client, audited: Instance, tmp_path: Path
):
    folder = folder_of(tmp_path, 6)
    order = customer.place(7)
    audited.bank.pay(order["payment"]["qr_content"])
    until("stamps are there", lambda: customer.balance()["available"] == 7)
    for step in STEPS:
        for dies in (UNWRITTEN, WRITTEN):
            process = begun(folder, customer, "--reference", "folder", first=dies)
            _, told = process.communicate()
            assert process.returncode == -signal.SIGKILL, (step, told)
        assert Journal(folder / NAME).last(step) is not None
    assert customer.balance() == {"available": 0, "held": 0, "used": 7}
    stamped = sorted(
        one.relative_to(folder / "stamped") for one in (folder / "stamped").rglob("*.pdf")
    )
    assert [str(one) for one in stamped] == [
        "more/surat-0.pdf",
        *(f"surat-{number}.pdf" for number in range(6)),
    ]
    for one in stamped:
        assert customer.verify((folder / "stamped" / one).read_bytes())["verdict"] == "genuine"
    done = begun(folder, customer)
    _, told = done.communicate()
    assert (done.returncode, "done before" in told) == (1, True), "a document is broken"


def test_what_is_missing_is_ordered_and_waited_for(
    customer: Client, audited: Instance, tmp_path: Path
):
    folder = folder_of(tmp_path, 2)
    process = begun(
        folder,
        customer,
        "--order",
        "--placement",
        '[{"page": 1, "x": 60, "y": 60}, {"corner": "top_left"}]',
    )
    assert process.stdout is not None
    audited.bank.pay(process.stdout.readline().strip())
    _, told = process.communicate()
    assert process.returncode == 1, told
    assert "broken.pdf" in told
    assert "3 of 4 are stamped" in told
    assert customer.balance() == {"available": 0, "held": 0, "used": 6}


@pytest.mark.parametrize(
    "words", [["--placement", "{"], ["--placement", '{"pge": 1}'], ["--placement", "7"]]
)
def test_what_is_no_placement_is_said_at_once(tmp_path: Path, words: Sequence[str]):
    nobody = begun(tmp_path, Client("http://127.0.0.1:9", "mtr_key"), *words)
    _, told = nobody.communicate()
    assert nobody.returncode == 2
    assert "--placement is none" in told
    assert not (tmp_path / NAME).exists()


def test_a_journal_that_was_cut_goes_on_and_one_that_is_none_stops(tmp_path: Path):
    path = tmp_path / NAME
    journal = Journal(path)
    journal.note(key="k")
    journal.note(sent=["a"])
    with path.open("ab") as file:
        file.write(b'{"sent": ["b')
    again = Journal(path)
    again.note(sent=["c"])
    assert Journal(path).every("sent") == [["a"], ["c"]]
    assert Journal(path).last("key") == "k"
    path.write_bytes(b"not one\n" + path.read_bytes())
    with pytest.raises(JournalUnreadable):
        Journal(path)
