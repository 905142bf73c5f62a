"""Seal third-party files and have third-party programs judge: `.venv/bin/python -m scripts.proof [FOLDER ...]`.

Every PDF of the corpus beside the repository, and below any given folder, is inspected and sealed as on the platform: with
two stamps, and a broken file is repaired first. Each output is judged by our verifier, by the programs in `judges`, and by
comparison in `pictures`. Writes docs/sealing-proof.md; fails if another exception than a refusal was raised, or if our own
verifier does not find a seal of ours genuine.
"""

import argparse
import os
import resource
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from meterai.kit.refusal import Refusal
from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.sealing import (
    LAST_PAGE,
    Issuer,
    Placement,
    PlacementOutsidePage,
    PreparedDocument,
    Stamp,
    Verdict,
    development_issuer,
    ingest,
    load_issuer,
    seal,
    verify,
)
from scripts.judges import CONTENT, JUDGES, Judge, Sealed, pyhanko
from scripts.judges import Verdict as Word
from scripts.pictures import visible
from scripts.proof_pages import Outcome, document, faults

ROOT = Path(__file__).parents[1]
FILE = ROOT / "docs" / "sealing-proof.md"
CORPUS = ROOT.parent / "shared" / "corpus"
KINDS = ("plain", "odd", "bad", "signed")
AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CHECK_URL = "https://meterai.example/c/"
SECONDS_MAX = 300  # clock time for one file and all its judges; more counts as a hang
ALL_JUDGES: dict[str, Judge] = {**JUDGES, "stamps seen": visible}

PLACEMENTS: tuple[Placement, ...] = (Placement(LAST_PAGE, 20, 20, 65), Placement(1, 100, 40, 65))
SMALLEST = (Placement(LAST_PAGE, 0, 0, 65),)  # on a page that is too small for the other placements
# Files that their makers protect with a known password.
PASSWORDS = {
    "pyhanko__minimal-aes256.pdf": "usersecret",
    "pypdf__libreoffice-writer-password.pdf": "openpassword",
    "dss__open_protected.pdf": " ",
}


def examine(
    kind: str, path: Path, issuer: Issuer, scratch: Path, judges: Mapping[str, Judge] = ALL_JUDGES
) -> Outcome:
    """Inspect, seal, check and judge one file in the folder `scratch`."""
    password = PASSWORDS.get(path.name, "")
    begun, data, placements = _processor_seconds(), path.read_bytes(), PLACEMENTS
    try:
        try:
            taken = ingest(data, placements, password=password.encode())
        except PlacementOutsidePage:
            begun, placements = _processor_seconds(), SMALLEST
            taken = ingest(data, placements, password=password.encode())
        sealed = _sealed(taken, placements, issuer, scratch, password)
        spent = _processor_seconds() - begun
        ours = _checked(sealed)
    except Refusal as refusal:
        return Outcome(
            kind, path.name, "refused", refusal.code, str(refusal), _processor_seconds() - begun
        )
    # No other exception may occur, so each is recorded.
    except Exception as error:
        why = f"{type(error).__name__}: {error}"
        return Outcome(
            kind, path.name, "raised", type(error).__name__, why, _processor_seconds() - begun
        )
    judged = {"our verifier": ours} | {name: judge(sealed) for name, judge in judges.items()}
    said = judged.get("pyHanko", CONTENT)
    if said.word == "objects" and len(placements) > 1:
        # A signed document gets a seal for each stamp, and each seal is a change after the seal before.
        alone = pyhanko(_sealed(taken, placements[:1], issuer, scratch, password))
        judged["pyHanko"] = replace(said, why=f"{said.why}; with one stamp: {alone.word}")
    sealed.before.unlink()
    sealed.after.unlink()
    word, is_smaller = "repaired" if taken.is_repaired else "sealed", placements is SMALLEST
    return Outcome(kind, path.name, word, "", "", spent, is_smaller, judged)


def _examine_in_time(kind: str, path: Path, issuer_folder: Path, scratch: Path) -> Outcome:
    """Run `examine` in a separate process, which is ended after `SECONDS_MAX`."""
    signal.signal(signal.SIGALRM, _too_long)
    signal.alarm(SECONDS_MAX)
    try:
        return examine(kind, path, load_issuer(issuer_folder), scratch)
    except TimeoutError as error:
        return Outcome(kind, path.name, "raised", "TimeoutError", str(error))
    finally:
        signal.alarm(0)


def _sealed(
    taken: PreparedDocument,
    placements: Sequence[Placement],
    issuer: Issuer,
    scratch: Path,
    password: str,
) -> Sealed:
    maker = SerialMaker(UNLEASED)
    delta = seal(
        taken.document,
        [Stamp(maker.make(), placement) for placement in placements],
        issuer,
        at=AT,
        check_url=CHECK_URL,
        specimen=True,
        password=b"" if taken.is_repaired else password.encode(),
    )
    before, after = (scratch / f"{os.getpid()}-{name}.pdf" for name in ("before", "after"))
    before.write_bytes(taken.document)
    after.write_bytes(taken.document + delta.data)
    return Sealed(
        before,
        after,
        taken.document,
        delta.data,
        password,
        issuer.root,
        AT,
        placements,
        taken.inspection.sizes[: len(placements)],
    )


def _checked(sealed: Sealed) -> Word:
    stamped = sealed.original + sealed.delta
    report = verify(stamped, [sealed.root], at=AT, password=sealed.password.encode())
    if report.verdict is Verdict.GENUINE:
        return CONTENT
    failed = ", ".join(check.name for check in report.checks if not check.passed)
    return Word("objects", f"{report.verdict}: {failed}")


def _processor_seconds() -> float:
    """Return processor seconds of this process and its awaited children."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS_MAX} s")


def _files(folders: Sequence[Path]) -> Iterator[tuple[str, Path]]:
    for kind in KINDS if CORPUS.is_dir() else ():
        for path in sorted((CORPUS / kind).glob("*.pdf")):
            yield kind, path
    for folder in folders:
        for path in sorted(folder.rglob("*.pdf")):
            yield folder.name, path


def main() -> int:
    """Examine everything, write the file. Return 1 for an exception or a seal that is not genuine."""
    arguments = argparse.ArgumentParser(description="Seal strangers' files, let strangers judge.")
    arguments.add_argument("folders", nargs="*", type=Path, help="more PDFs, found at any depth")
    arguments.add_argument("--out", type=Path, default=FILE, help="the Markdown file to write")
    asked = arguments.parse_args()
    chosen = list(_files(asked.folders))
    if not chosen:
        sys.stdout.write("no PDF: the corpus is not here and no folder was given\n")
        return 1
    with (
        tempfile.TemporaryDirectory(prefix="meterai-proof-") as folder,
        ProcessPoolExecutor(os.cpu_count()) as pool,
    ):
        issuer = Path(folder) / "issuer"
        development_issuer(issuer, at=AT)
        under_way = [
            pool.submit(_examine_in_time, kind, path, issuer, Path(folder)) for kind, path in chosen
        ]
        outcomes = [one.result() for one in under_way]
    asked.out.write_text(document(outcomes))
    slowest = max(outcomes, key=lambda one: one.cpu_seconds)
    found = list(faults(outcomes))
    sys.stdout.write(
        f"{len(outcomes)} files, {len(found)} faults; slowest {slowest.kind}/{slowest.name}: "
        f"{slowest.cpu_seconds:.2f} s of processor time\n"
    )
    sys.stdout.writelines(f"{line}\n" for line in found)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
