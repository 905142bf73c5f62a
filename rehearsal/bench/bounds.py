"""Highest cost of a verification for its caller, in processor time and memory, without the processes that it starts.

`python -m bench.bounds [NAME ...]` prints a line for each malicious file (`tests/support/attacks/heavy`), or for the named
files; a name may be the path of a PDF. Each file is verified in a fresh process by the first look (the inspection by the
web process itself). A file that needs more is verified by a separate process with its own bounds (`sandbox.bounded`).
"""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from meterai.sealing import CheckQuestion, development_issuer, verify, verifying
from tests.support.attacks.heavy import HEAVY
from tests.support.attacks.lab import AT, Lab

_PROGRAM = "bench.bounds"
_ONE = "--one"
_PEAK = re.compile(r"VmHWM:\s*(\d+) kB")
_MIB = 1024 * 1024
_LINE = "{:38}{:>9}{:>9}{:>8}  {}"


class Spent(NamedTuple):
    """Cost for the caller in processor seconds, and in bytes beyond the file; `said` is the verdict, or `task`
    if only a separate process can reach a verdict.
    """

    seconds: float
    bytes_more: int
    said: str


def spent(document: bytes, root: x509.Certificate) -> Spent:
    """Return the cost of verifying a file in a fresh process."""
    with tempfile.TemporaryDirectory() as made:
        file, pem = Path(made) / "file.pdf", Path(made) / "root.pem"
        file.write_bytes(document)
        pem.write_bytes(root.public_bytes(Encoding.PEM))
        command = [sys.executable, "-m", _PROGRAM, _ONE, str(file), str(pem)]
        done = subprocess.run(command, capture_output=True, check=True)
    return Spent(**json.loads(done.stdout))


def _measured(file: Path, pem: Path) -> Spent:
    root = x509.load_pem_x509_certificate(pem.read_bytes())
    verify(b"%PDF-1.7\n", [root], at=AT)  # one-time initialization is not counted
    document = file.read_bytes()
    before, begin = _peak(anew=True), time.process_time()
    try:
        next(verifying(CheckQuestion(document, [root], AT)))
    except StopIteration as done:
        said = str(done.value.verdict)
    else:
        said = "task"
    return Spent(time.process_time() - begin, _peak() - before, said)


def _peak(*, anew: bool = False) -> int:
    """Return the peak memory in bytes. `anew` first resets the peak, since a process inherits the peak of its
    parent.
    """
    if anew:
        Path("/proc/self/clear_refs").write_text("5")
    return int(_PEAK.findall(Path("/proc/self/status").read_text())[0]) * 1024


def _table(names: list[str]) -> Iterator[str]:
    yield _LINE.format("document", "KiB", "ms", "MiB", "verdict")
    with tempfile.TemporaryDirectory() as made:
        lab = Lab(development_issuer(Path(made) / "issuer", at=AT), Path(made))
        for name in names or HEAVY:
            document = HEAVY[name](lab) if name in HEAVY else Path(name).read_bytes()
            found = spent(document, lab.issuer.root)
            milliseconds = f"{found.seconds * 1e3:.1f}"
            more = f"{found.bytes_more / _MIB:.1f}"
            shown = Path(name).name[:37]
            yield _LINE.format(shown, len(document) // 1024, milliseconds, more, found.said)


def main(arguments: list[str]) -> None:
    """Print the table, or measure one file for the parent process."""
    if arguments[:1] == [_ONE]:
        _, file, pem = arguments
        sys.stdout.write(json.dumps(_measured(Path(file), Path(pem))._asdict()))
        return
    for line in _table(arguments):
        sys.stdout.write(line + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
