"""Makes `tests/sealing/golden`: one file for each verdict, and at least five for each family of attacks.

`python -m scripts.golden` writes them anew, with keys made for the occasion; the roots and the
public keys of the claims lie beside them, the private ones are thrown away.  `manifest.toml` says
what must be found in each file.  `python -m scripts.golden --unpack FOLDER` writes each as a PDF.
"""

import shutil
import sys
import tempfile
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meterai.sealing import development_issuer
from tests.support import attacks, golden
from tests.support.attacks.lab import AT
from tests.support.golden import BASE, GOLDEN, PACKED, PLAIN

FILE_BYTES_MAX = 60_000  # of one file; a letter and its seal are 15 KB
FOLDER_BYTES_MAX = 1_500_000  # it is in every clone


def main() -> None:
    """Write every file, and what is to be found in it."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        lab = attacks.Lab(development_issuer(directory / "issuer", at=AT), directory)
        shutil.rmtree(GOLDEN, ignore_errors=True)
        GOLDEN.mkdir()
        (GOLDEN / "root.pem").write_bytes(lab.issuer.root.public_bytes(Encoding.PEM))
        assert lab.issuer.claim_key is not None
        (GOLDEN / "claim.pem").write_bytes(
            lab.issuer.claim_key.public.public_bytes(
                Encoding.PEM, PublicFormat.SubjectPublicKeyInfo
            )
        )
        base = attacks.GOLDEN[BASE].make(lab)
        lines = [
            "# Made by scripts/golden.py.  The verdict on each file, and the checks that fail."
        ]
        for name, case in attacks.GOLDEN.items():
            document = case.make(lab)
            report = lab.verify(document)
            assert report.verdict.value == case.verdict, name
            failed = [check.name for check in report.checks if not check.passed]
            is_plain = name in attacks.HONEST
            kept = document if is_plain else golden.packed(document, base)
            assert len(kept) <= FILE_BYTES_MAX, name
            (GOLDEN / (name + (PLAIN if is_plain else PACKED))).write_bytes(kept)
            quoted = ", ".join(f'"{one}"' for one in failed)
            lines += ["", f"[{name}]", f'verdict = "{report.verdict}"', f"failed = [{quoted}]"]
        (GOLDEN / "manifest.toml").write_text("\n".join(lines) + "\n")
    total = sum(path.stat().st_size for path in GOLDEN.iterdir())
    assert total <= FOLDER_BYTES_MAX, total


def unpack(folder: Path) -> None:
    """Write every document as a PDF, for other programs to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in golden.manifest():
        (folder / (name + PLAIN)).write_bytes(golden.document(name))


if __name__ == "__main__":
    match sys.argv[1:]:
        case []:
            main()
        case ["--unpack", folder]:
            unpack(Path(folder))
        case _:
            sys.exit(__doc__)
