"""`meterai-batch DIR` stamps each document once, also if it is killed between any two steps and started again."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from meterai_client.journal import NAME, Journal, JournalUnreadable

from tests.support.commands import ROOT
from tests.support.instance import Client, Instance, until
from tests.support.pdf import pdf

START = "from meterai_client.batch_command import main; main()"
# Ends the process at one step like a power failure: after the step but before its record, or just after the
# record.
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


def test_folder_is_stamped_once_despite_any_kill_of_the_command(
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


def test_missing_stamps_are_ordered_and_waited_for(
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


def test_link_and_invalid_utf8_name_are_reported_and_hidden_files_skipped(
    customer: Client, audited: Instance, tmp_path: Path
):
    folder = tmp_path / "folder"
    (folder / ".hidden").mkdir(parents=True)
    (folder / "good.pdf").write_bytes(pdf(words="Good"))
    for name in (".good.pdf", ".hidden/inside.pdf", "\udcff.pdf"):
        (folder / name).write_bytes(pdf(words=f"Not {name!a}"))
    (tmp_path / "secret.pdf").write_bytes(pdf(words="Secret"))
    (folder / "link.pdf").symlink_to(tmp_path / "secret.pdf")
    (folder / "away").symlink_to(tmp_path)
    order = customer.place(1)
    audited.bank.pay(order["payment"]["qr_content"])
    until("stamps are there", lambda: customer.balance()["available"] == 1)
    process = begun(folder, customer)
    _, told = process.communicate()
    assert process.returncode == 1, told
    assert "1 of 3 are stamped" in told
    for line in ("link.pdf: file_is_link", r"\xff.pdf: file_name_unsafe", "away: a link"):
        assert line in told
    assert [one.name for one in (folder / "stamped").rglob("*")] == ["good.pdf"]


@pytest.mark.parametrize("name", ["stamped", "stamped/more", NAME])
def test_no_file_is_written_through_a_link(tmp_path: Path, name: str):
    (tmp_path / "stamped").mkdir()
    (tmp_path / "elsewhere").mkdir()
    if name == "stamped":
        (tmp_path / "stamped").rmdir()
    (tmp_path / name).symlink_to(tmp_path / "elsewhere")
    process = begun(tmp_path, Client("http://127.0.0.1:9", "mtr_key"))
    _, told = process.communicate()
    assert process.returncode == 2
    assert "is a link" in " ".join(told.split())
    assert "to continue" not in told


def test_truncated_journal_continues_and_foreign_file_stops(tmp_path: Path):
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
