"""Files sealed by each released version of the format, and by code from before the first version."""

import tomllib
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509

from meterai.sealing import CheckQuestion, CheckReport, claim, verifying
from meterai.sealing.sandbox.bounded import finish

RELEASES = Path(__file__).parents[1] / "sealing" / "releases"


@cache
def manifest(folder: Path) -> dict[str, Any]:
    """`at`, the time when the files were made; and for each file `verdict`, `serials`, `password`."""
    return tomllib.loads((folder / "manifest.toml").read_text())


def names() -> list[tuple[str, str]]:
    """Folder and file name of every document."""
    return [
        (folder.name, path.name)
        for folder in sorted(RELEASES.iterdir())
        for path in sorted(folder.glob("*.pdf"))
    ]


def question_about(
    folder: Path, name: str, at: datetime | None = None, password: bytes | None = None
) -> CheckQuestion:
    """The question about a file to a verifier that trusts the keys beside it."""
    if at is None:
        found = manifest(folder)
        at, password = found["at"], found[name].get("password", "").encode()
    stamps = folder / "tsa.pem"
    return CheckQuestion(
        (folder / name).read_bytes(),
        x509.load_pem_x509_certificates((folder / "root.pem").read_bytes()),
        at,
        claim.load_public_keys(sorted(folder.glob("claim*.pem"))),
        x509.load_pem_x509_certificates(stamps.read_bytes()) if stamps.exists() else (),
        password or b"",
    )


def verified(
    folder: Path, name: str, at: datetime | None = None, password: bytes = b""
) -> CheckReport:
    """The report on a file."""
    return finish(verifying(question_about(folder, name, at, password)))


def document(version: str, name: str) -> bytes:
    """A file by its version and name."""
    return (RELEASES / version / name).read_bytes()
