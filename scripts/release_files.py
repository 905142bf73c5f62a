"""Make `tests/sealing/releases/N`: files sealed by version N of the format, which must stay genuine permanently.

`python -m scripts.release_files` writes the files once and overwrites nothing. With `--again` files are overwritten, which
is only allowed before the release of the version. The keys are made for this purpose: the roots and the public claim keys
are beside the files, the private ones are deleted.
"""

import argparse
import io
import sys
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pikepdf
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meterai.kit.clock import SystemClock
from meterai.sealing import Issuer, Placement, Verdict, development_issuer, load_issuer
from meterai.sealing.signing.requests import Algorithm
from meterai.sealing.stamp.identifiers import FORMAT_VERSION
from tests.support.attacks import Lab
from tests.support.authority import running_authority
from tests.support.pdfmaker import letter
from tests.support.releases import RELEASES, verified

FILE_BYTES_MAX = 100_000  # a letter and its seal have 15 KB, two seals with evidence 90

_PROOFS = """
time_stamp_url = "{url}"
time_stamp_roots = "tsa.pem"
timeout_seconds = 30.0
long_term = {long_term}
"""
_TWO_PAGES = (Placement(1, 20, 20, 65), Placement(2, 20, 20, 65))
_PASSWORD = b"rahasia"


class Made(NamedTuple):
    """One file, its issuer and its options."""

    issuer: str
    seal: Callable[[Lab], bytes]
    password: bytes = b""
    seals: int = 1


def _encrypted(lab: Lab) -> bytes:
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(lab.original)) as opened:
        opened.save(out, encryption=pikepdf.Encryption(owner="pemilik", user=_PASSWORD.decode()))
    return lab.seal(out.getvalue(), password=_PASSWORD)


FILES: dict[str, Made] = {
    "plain": Made("p256", lambda lab: lab.sealed),
    "rsa": Made("rsa2048", lambda lab: lab.sealed),
    "two-stamps": Made("p256", lambda lab: lab.seal(lab.original, *_TWO_PAGES)),
    "signed-first": Made("p256", lambda lab: lab.seal(lab.signed(lab.original), *_TWO_PAGES)),
    "stamped-twice": Made("p256", lambda lab: lab.seal(lab.sealed, _TWO_PAGES[1])),
    "object-streams": Made(
        "p256", lambda lab: lab.sealed_of(letter(2), style="stream", packed=[1, 2, 3, 4])
    ),
    "hybrid": Made("p256", lambda lab: lab.sealed_of(letter(2), style="hybrid", packed=[3, 6])),
    "encrypted": Made("p256", _encrypted, _PASSWORD),
    "time-stamp": Made("with-time", lambda lab: lab.sealed),
    "evidence": Made("with-evidence", lambda lab: lab.sealed),
    "evidence-twice": Made("with-evidence", lambda lab: lab.seal(lab.sealed, _TWO_PAGES[1])),
}


def main(arguments: list[str]) -> None:
    """Write every file, and its expected content."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--again", action="store_true", help="overwrite what is there")
    folder = RELEASES / str(FORMAT_VERSION)
    if folder.exists() and not asked.parse_args(arguments).again:
        sys.exit(f"{folder} exists: a released file is never overwritten")
    folder.mkdir(parents=True, exist_ok=True)
    at = SystemClock().now().replace(microsecond=0)  # the authority states the time of the machine
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        with running_authority(directory / "authority", directory / "issuers") as authority:
            issuers = {
                "p256": _issuer(directory, "p256", at),
                "rsa2048": _issuer(directory, "rsa2048", at),
                "with-time": _issuer(directory, "with-time", at, authority.url, authority.root),
                "with-evidence": _issuer(
                    directory, "with-evidence", at, authority.url, authority.root, long_term=True
                ),
            }
            documents = {
                name: one.seal(Lab(issuers[one.issuer], directory, at=at))
                for name, one in FILES.items()
            }
        _write_keys(folder, list(issuers.values()), [authority.root])
        lines = [
            "# Made by scripts/release_files.py.",
            f"at = {at.isoformat()}",
            f"version = {FORMAT_VERSION}",
        ]
        for name, document in documents.items():
            assert len(document) <= FILE_BYTES_MAX, (name, len(document))
            (folder / f"{name}.pdf").write_bytes(document)
        for name, one in FILES.items():
            report = verified(folder, f"{name}.pdf", at, one.password)
            assert report.verdict is Verdict.GENUINE, (name, report)
            serials = ", ".join(f'"{serial}"' for serial in report.serials)
            lines += ["", f'["{name}.pdf"]', f'verdict = "{report.verdict}"']
            lines += [f"serials = [{serials}]", f'password = "{one.password.decode()}"']
    (folder / "manifest.toml").write_text("\n".join(lines) + "\n")


def _issuer(
    directory: Path,
    name: str,
    at: datetime,
    url: str | None = None,
    root: x509.Certificate | None = None,
    *,
    long_term: bool = False,
) -> Issuer:
    keys = directory / "issuers" / name
    algorithm: Algorithm = "rsa2048" if name == "rsa2048" else "p256"
    issuer = development_issuer(keys, algorithm=algorithm, at=at, authority_url=url)
    if root is None:
        return issuer
    (keys / "tsa.pem").write_bytes(root.public_bytes(Encoding.PEM))
    written = _PROOFS.format(url=f"{url}/tsa", long_term=str(long_term).lower())
    (keys / "proofs.toml").write_text(written)
    return load_issuer(keys)


def _write_keys(folder: Path, issuers: list[Issuer], stamps: list[x509.Certificate]) -> None:
    """Write the roots, the certificates of the sealing keys, the claim keys and the roots of time-stamps."""
    for name, certificates in (
        ("root.pem", [one.root for one in issuers]),
        ("seal.pem", [one.chain[0] for one in issuers]),
        ("tsa.pem", stamps),
    ):
        (folder / name).write_bytes(
            b"".join(one.public_bytes(Encoding.PEM) for one in certificates)
        )
    keys = [one.claim_key for one in issuers if one.claim_key is not None]
    for number, key in enumerate(keys):
        pem = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (folder / f"claim-{number}.pem").write_bytes(pem)


if __name__ == "__main__":
    main(sys.argv[1:])
