"""Fixtures of the tests of sealing: an issuer, small PDFs, the corpus, and shorthand for one stamp."""

import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pikepdf
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from meterai.kit.serial import Serial, SerialMaker
from meterai.sealing import (
    CheckReport,
    Delta,
    Issuer,
    Placement,
    Stamp,
    claim,
    development_issuer,
    seal,
    verify,
)
from tests.support.attacks import Lab

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CHECK_URL = "https://meterai.example/c/"
CORPUS = Path(__file__).parents[2].parent / "shared" / "corpus"


class Bench:
    """One issuer and its verifier, with a fixed time."""

    at = AT
    check_url = CHECK_URL

    def __init__(self, issuer: Issuer, keys: Path) -> None:
        self.issuer, self.keys = issuer, keys
        self._maker = SerialMaker(7)

    def serial(self) -> Serial:
        return self._maker.make()

    def stamps(self, *placements: Placement) -> list[Stamp]:
        return [Stamp(self.serial(), placement) for placement in placements]

    def delta(self, original: bytes, *placements: Placement, specimen: bool = True) -> Delta:
        stamps = self.stamps(*(placements or (Placement(1, 20, 20, 65),)))
        return seal(original, stamps, self.issuer, at=AT, check_url=CHECK_URL, specimen=specimen)

    def sealed(self, original: bytes, *placements: Placement) -> bytes:
        return original + self.delta(original, *placements).data

    def verify(self, document: bytes) -> CheckReport:
        return verify(document, [self.issuer.root], at=AT)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    keys = tmp_path_factory.mktemp("issuers") / "p256"
    issuer = development_issuer(keys, at=AT)
    # The same serial on the same document has the same code in every run.
    issuer.claim_key = claim.ClaimKey(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
    return Bench(issuer, keys)


@pytest.fixture(scope="session")
def lab(bench: Bench, tmp_path_factory: pytest.TempPathFactory) -> Lab:
    """Material of an attacker, with the same issuer."""
    return Lab(bench.issuer, tmp_path_factory.mktemp("lab"), bench.keys)


@pytest.fixture(scope="session")
def make_pdf() -> Callable[..., bytes]:
    """Maker of a PDF of empty pages; keyword arguments become entries of every page."""

    def make(
        pages: int = 1,
        size: tuple[float, float] = (595, 842),
        *,
        objstm: bool = False,
        **page: object,
    ) -> bytes:
        made = pikepdf.new()
        for _ in range(pages):
            made.add_blank_page(page_size=size)
            for name, value in page.items():
                made.pages[-1].obj[f"/{name}"] = value
        out = io.BytesIO()
        mode = pikepdf.ObjectStreamMode.generate if objstm else pikepdf.ObjectStreamMode.disable
        made.save(out, object_stream_mode=mode, static_id=True)
        return out.getvalue()

    return make


@pytest.fixture(scope="session")
def plain(make_pdf: Callable[..., bytes]) -> bytes:
    return make_pdf(pages=2)


@pytest.fixture(scope="session")
def corpus() -> Callable[[str], Iterator[Path]]:
    """Files of one kind in the corpus of real PDFs, which is beside the repository."""
    if not CORPUS.is_dir():
        pytest.skip("the corpus of real PDFs is not on this machine")

    def files(kind: str) -> Iterator[Path]:
        return iter(sorted((CORPUS / kind).iterdir()))

    return files


@pytest.fixture
def say(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Writer of a line with figures into the report of the run."""
    writer = request.config.get_terminal_writer()
    return lambda line: writer.line(f"\n  {line}")
