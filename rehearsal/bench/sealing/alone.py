"""One process that seals or checks one file, and prints its memory.

    python -P alone.py seal|verify DOCUMENT FOLDER

Prints the highest resident set after importing and at the end, in bytes. Run as a file, so that only the imports of
sealing are loaded.
"""

import resource
import sys
from datetime import UTC, datetime
from pathlib import Path

from meterai.kit.serial import UNLEASED, SerialMaker
from meterai.sealing import LAST_PAGE, Placement, Stamp, Verdict, load_issuer, seal, verify

_AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
_STATUS = Path("/proc/self/status")


def _peak_bytes() -> int:
    # `ru_maxrss` of a forked process includes its parent's peak; this value does not.
    if _STATUS.exists():
        for line in _STATUS.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _main(work: str, document: Path, folder: Path) -> None:
    imported = _peak_bytes()
    issuer, data = load_issuer(folder), document.read_bytes()
    if work == "seal":
        stamp = Stamp(SerialMaker(UNLEASED).make(), Placement(LAST_PAGE, 20, 20, 70))
        seal(
            data,
            [stamp],
            issuer,
            at=_AT,
            check_url="https://meterai.example/c/",
            specimen=True,
        )
    else:
        assert verify(data, [issuer.root], at=_AT).verdict is Verdict.GENUINE
    print(imported, _peak_bytes())


if __name__ == "__main__":
    _main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
