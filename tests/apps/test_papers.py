"""Commands about files and QR codes: their output and statuses. No database runs."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.sealing import claim, development_issuers, load_issuers
from tests.support.commands import Done, run, run_here
from tests.support.pdf import pdf

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
Command = Callable[..., Done]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    development_issuers(folder / "keys" / "issuer", at=AT)
    return folder


@pytest.fixture(scope="module")
def meterai(data: Path) -> Command:
    """Runs a command with this data directory."""

    def do(*words: object, given: str = "") -> Done:
        return run_here(data, *map(str, words), given=given)

    return do


@pytest.fixture(scope="module")
def public(data: Path, meterai: Command) -> Path:
    """The public key of the claims, as it is published."""
    assert meterai("issuer", "show").returncode == 0
    return data / "keys" / "issuer" / "development-1" / "claim.pub"


@pytest.fixture(scope="module")
def scanned(data: Path, public: Path) -> str:
    """Text that a phone reads from a stamp on the document `letter`."""
    key = load_issuers(data / "keys" / "issuer").current.claim_key
    assert key is not None
    serial = SerialMaker(UNLEASED).make()
    made = claim.make(serial, AT, sha256(b"letter").digest(), key)
    return f"HTTPS://METERAI.EXAMPLE/C/{serial}/{made}"


def test_damaged_document_is_repaired_stamped_and_found_genuine(
    meterai: Command, data: Path, tmp_path: Path
) -> None:
    source, target = tmp_path / "broken.pdf", tmp_path / "stamped.pdf"
    source.write_bytes(pdf(2)[:-60])
    places = ("--place", "1,36,36,80", "--place", "-1,200,36,80")
    # In a process of its own, as for an operator: the processes that `seal` starts end with it.
    done = run(data, "seal", str(source), str(target), *places)
    assert done.returncode == 0, done.stderr
    repaired, *serials = done.stdout.splitlines()
    assert repaired.startswith("repaired")
    assert len(serials) == 2
    checked = meterai("verify", target, "--json")
    assert checked.returncode == 0, checked.stdout
    assert "claim" in [one["name"] for one in json.loads(checked.stdout)["checks"]]
    assert meterai("seal", source, target, "--place", "here").returncode == 2


def test_verify_detects_extended_file_and_extracts_sealed_revision(
    meterai: Command, tmp_path: Path
) -> None:
    source, stamped = tmp_path / "letter.pdf", tmp_path / "stamped.pdf"
    source.write_bytes(pdf())
    assert meterai("seal", source, stamped).returncode == 0
    sealed = stamped.read_bytes()
    given, out = tmp_path / "given.pdf", tmp_path / "out.pdf"
    for content, status, verdict in (
        (sealed, 0, "genuine"),
        (sealed + b"x", 4, "genuine_then_extended"),
        (sealed.replace(b"595", b"594", 1), 1, "altered"),
        (pdf(), 1, "not_sealed"),
        (b"x", 3, "unreadable"),
    ):
        given.write_bytes(content)
        done = meterai("verify", given, "--json", "--extract-sealed", out)
        found = json.loads(done.stdout)
        assert (done.returncode, found["verdict"]) == (status, verdict), done.stderr
        assert out.exists() == (status in (0, 4))
        if out.exists():
            assert out.read_bytes() == sealed
            assert found["sealed"]["bytes"] == len(sealed)
            assert found["sealed"]["sha256"] == sha256(sealed).hexdigest()
            assert found["later_bytes"] == len(content) - len(sealed)
            out.unlink()


def test_extracting_never_overwrites_a_file(meterai: Command, tmp_path: Path) -> None:
    source, stamped = tmp_path / "letter.pdf", tmp_path / "stamped.pdf"
    source.write_bytes(pdf())
    assert meterai("seal", source, stamped).returncode == 0
    out, link = tmp_path / "out.pdf", tmp_path / "link.pdf"
    out.write_bytes(b"mine")
    link.symlink_to(tmp_path / "nowhere.pdf")
    for there in (out, link, stamped, tmp_path / "no folder" / "out.pdf"):
        done = meterai("verify", stamped, "--extract-sealed", there)
        assert done.returncode == 2
        assert str(there) in done.stderr
    assert out.read_bytes() == b"mine"
    assert not (tmp_path / "nowhere.pdf").exists()


def test_password_opens_document_and_stays_on_it(meterai: Command, tmp_path: Path) -> None:
    source, target = tmp_path / "closed.pdf", tmp_path / "stamped.pdf"
    source.write_bytes(pdf(password="rahasia"))
    refused = meterai("seal", source, target)
    assert refused.returncode == 1
    assert "--password" in refused.stderr
    assert meterai("seal", source, target, "--password", "rahasia").returncode == 0
    assert meterai("verify", target, "--password", "rahasia").returncode == 0
    assert meterai("verify", target).returncode != 0


def test_claim_is_checked_with_public_key_only(
    meterai: Command, scanned: str, public: Path, tmp_path: Path
) -> None:
    letter, another = tmp_path / "letter.pdf", tmp_path / "another.pdf"
    letter.write_bytes(b"letter")
    another.write_bytes(b"another")
    nowhere = ("--keys", public, "--config", tmp_path / "there-is-none.toml")
    done = meterai("verify-claim", scanned, *nowhere)
    assert done.returncode == 0, done.stderr
    assert scanned.split("/")[-2] in done.stdout
    assert AT.isoformat() in done.stdout
    assert sha256(b"letter").hexdigest()[:32] in done.stdout
    piped = meterai("verify-claim", "--document", letter, *nowhere, given=f"{scanned}\n\n")
    assert piped.returncode == 0
    assert "is the one" in piped.stdout
    other = meterai("verify-claim", scanned, "--document", another, "--json", *nowhere)
    assert other.returncode == 1
    assert json.loads(other.stdout)["document"] is False
