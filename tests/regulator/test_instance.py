"""A month of a real instance, and the evidence of one of its serials, as the supervisor gets them."""

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meterai.kit.days import DAY, Month, day_of
from meterai.plumbing.signed import public_key_of
from meterai.plumbing.zips import ZippedFile, archive, unzipped
from meterai.regulator.evidence import DELTA, MANIFEST, TIMELINE
from meterai.regulator.evidence_check import EvidenceWrong, check_evidence
from meterai.regulator.service import StatementService
from tests.regulator.test_statements import SCRIPT
from tests.support.commands import run_here
from tests.support.desk import Desk, staff_session
from tests.support.inside import Inside
from tests.support.instance import Client, Instance, until
from tests.support.money import payable
from tests.support.pdf import pdf

FLIPS = 400  # positions of an archive, each with another byte


@pytest.fixture(scope="module")
def inside(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inside]:
    with Instance(tmp_path_factory.mktemp("supervised")) as instance:
        yield Inside(instance)


@pytest.fixture(scope="module")
def supervisor(inside: Inside) -> Desk:
    return staff_session(inside.instance, "regulator")


@pytest.fixture(scope="module")
def original() -> bytes:
    return pdf(words="Surat lamaran")


@pytest.fixture(scope="module")
def serial(inside: Inside, original: bytes) -> str:
    """The serial of a stamp; its account bought five, and returned three."""
    customer = inside.customer()
    order = customer.place(5)
    inside.instance.bank.pay(payable(customer, order))
    until("stamps are issued", lambda: customer.balance()["available"] == 5)
    stamped = customer.stamp(original, name="Ani Wijaya.pdf").json
    until("it is stamped", lambda: _is_delivered(customer, stamped["id"]))
    customer.stamp(pdf(words="Surat lain"))
    assert customer.ask_back(order["id"]).status in (200, 201)
    inside.until("money is at rest", inside.money_is_at_rest)
    return str(stamped["serials"][0])


def _is_delivered(customer: Client, stamping: str) -> bool:
    return bool(customer.get(f"/v1/stampings/{stamping}").json["state"] == "delivered")


@pytest.fixture(scope="module")
def key(inside: Inside, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("key") / "key.pem"
    path.write_bytes(inside.instance.anybody().get("/regulator/key.pem").body)
    return path


@pytest.fixture(scope="module")
def evidence(inside: Inside, serial: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("evidence") / "evidence.zip"
    assert inside.instance.command("audit").returncode == 0
    done = inside.instance.command("evidence", "make", serial, "--out", str(path))
    assert done.returncode == 0, done.stderr
    return path


def test_evidence_is_verified_offline_with_its_document(
    evidence: Path, key: Path, serial: str, original: bytes, tmp_path: Path
) -> None:
    document = tmp_path / "original.pdf"
    document.write_bytes(original)
    words = ("evidence", "verify", str(evidence), "--key", str(key))
    done = run_here(tmp_path, *words, "--document", str(document))
    assert done.returncode == 0, done.stderr
    assert f"serial: {serial}" in done.stdout
    assert "signed the seal" in done.stdout
    assert "signed the claim" in done.stdout
    assert "document and delta are the stamped file" in done.stdout
    document.write_bytes(original + b"\n")
    assert run_here(tmp_path, *words, "--document", str(document)).returncode == 1


def test_evidence_with_one_byte_changed_is_refused(
    evidence: Path, key: Path, tmp_path: Path
) -> None:
    content, public_key = evidence.read_bytes(), public_key_of(key.read_bytes())
    check_evidence(content, public_key)
    chosen = random.Random(22)
    ends = [*range(64), *range(len(content) - 64, len(content))]
    for place in {*ends, *(chosen.randrange(len(content)) for _ in range(FLIPS))}:
        changed = bytearray(content)
        changed[place] ^= 1 << chosen.randrange(8)
        with pytest.raises(EvidenceWrong):
            check_evidence(bytes(changed), public_key)
    spoilt = tmp_path / "spoilt.zip"
    spoilt.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert run_here(tmp_path, "evidence", "verify", str(spoilt), "--key", str(key)).returncode == 1


def test_repacked_evidence_is_refused(evidence: Path, key: Path) -> None:
    public_key = public_key_of(key.read_bytes())
    files = unzipped(evidence.read_bytes())
    without = [one for one in files if one.name != DELTA]
    more = [*files, ZippedFile("more.txt", files[0].at, b"x")]
    other = [one if one.name != TIMELINE else ZippedFile(one.name, one.at, b"[]") for one in files]
    for made in (without, more, other, [one for one in files if one.name != MANIFEST]):
        with pytest.raises(EvidenceWrong):
            check_evidence(archive(made), public_key)
    for odd in (b"", b"PK\x03\x04", evidence.read_bytes() + b"\0", evidence.read_bytes()[1:]):
        with pytest.raises(EvidenceWrong):
            check_evidence(odd, public_key)


def test_evidence_contains_no_person(evidence: Path, inside: Inside) -> None:
    files = {one.name: one.content for one in unzipped(evidence.read_bytes())}
    text = b"".join(content for name, content in files.items() if name != DELTA).decode()
    assert not re.search(r"acc_|@|Ani|Wijaya", text)
    accounts = [row["account_id"] for row in inside.rows("SELECT account_id FROM accounts")]
    assert not [one for one in accounts if str(one) in text or one.hex in text]
    words = [one["word"] for one in json.loads(files[TIMELINE])]
    assert "stamping_delivered" in words


def test_supervisor_downloads_evidence_from_the_page_of_a_serial(
    inside: Inside, supervisor: Desk, serial: str, key: Path
) -> None:
    client = inside.instance.anybody()
    there = f"/console/statements/serial/{serial}"
    assert (
        there
        in client.get(
            f"/console/subjects/serial/{serial}", headers=supervisor.headers
        ).body.decode()
    )
    assert f"{there}/evidence.zip" in client.get(there, headers=supervisor.headers).body.decode()
    found = client.get(f"{there}/evidence.zip", headers=supervisor.headers)
    assert found.status == 200
    assert check_evidence(found.body, public_key_of(key.read_bytes())).stamp["serial"] == serial
    typed = client.get(
        f"/console/statements/serial?serial={serial.lower()}", headers=supervisor.headers
    )
    assert typed.headers["location"] == there


def test_figures_of_month_are_recomputed_by_published_script(
    inside: Inside, serial: str, supervisor: Desk, key: Path, tmp_path: Path
) -> None:
    today = day_of(datetime.now(UTC))
    past = Month.of(today.replace(day=1) - DAY)
    with inside.connect() as owner:
        # Move the books to a month that is over.
        owner.execute(
            "UPDATE entries SET posted_at = posted_at - make_interval(days => %s)",
            [(today - past.first.replace(day=15)).days],
        )
    while inside.ask(lambda container: container.of(StatementService).make_due()):
        pass
    folder = tmp_path / "extracts"
    done = inside.instance.command("regulator", "extract", str(past), "--out", str(folder))
    assert done.returncode == 0, done.stderr
    checked = run_here(tmp_path, "regulator", "check", str(folder), "--key", str(key))
    assert checked.returncode == 0, checked.stderr
    script = [sys.executable, str(SCRIPT), str(key), str(folder), str(past)]
    told = subprocess.run(script, capture_output=True, text=True, check=True).stdout
    computed = {
        name: list(map(int, numbers)) for name, *numbers in map(str.split, told.splitlines()[1:])
    }
    found = inside.ask(lambda container: container.of(StatementService).statement(past))
    for one in (found.lines[0], *found.figures, found.lines[-1]):
        assert computed[one.name] == [one.stamps, one.rupiah], one
    assert computed["sold"] == [5, 50_000]
    assert computed["affixed"] == [2, 20_000]
    assert computed["refunded"] == [3, 30_000]
    shown = inside.instance.anybody().get(f"/console/statements/{past}", headers=supervisor.headers)
    assert "50,000" in shown.body.decode()
