"""Memory of sealing and checking one file, each in a fresh process."""

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_ALONE = Path(__file__).with_name("alone.py")
_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Memory:
    """Highest resident bytes of a process: after the imports, and at its end."""

    imported: int
    peak: int


def memory(work: str, document: bytes, issuer: Path, scratch: Path) -> Memory:
    """Return the memory of `seal` or `verify`; the document is put into `scratch` for it."""
    path = scratch / "document.pdf"
    path.write_bytes(document)
    command = [sys.executable, "-P", str(_ALONE), work, str(path), str(issuer)]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=_SECONDS_MAX, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{work} in a process of its own failed: {done.stderr}")
    imported, peak = done.stdout.split()
    return Memory(int(imported), int(peak))
