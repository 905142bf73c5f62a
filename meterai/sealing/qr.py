"""The QR code of a stamp: the address where the serial can be checked.

The whole address is written in capitals: a QR code holds capitals, digits and `:/.-` in 5.5 bits
a character instead of 8, which makes the modules of a small stamp a fifth larger.  Scheme and
host ignore case by definition; whoever serves the check address must ignore it in the path too.
"""

from dataclasses import dataclass

import segno

from meterai.kit.serial import Serial

ADDRESS_CHARACTERS_MAX = 100  # with a serial: version 6 at most, still readable at 20 mm
QUIET_MODULES = 3  # inside the box; with the white around it, the 4 that ISO/IEC 18004 asks for
_OVERLAP = 0.02  # modules; hides the hairline a renderer leaves between two rows


@dataclass(frozen=True, slots=True)
class Qr:
    """One code: `modules` to a side, `path` fills the dark ones on a grid of 1 by 1, origin below."""

    modules: int
    quiet: int
    path: bytes


def check_address(check_url: str, serial: Serial) -> str:
    """The address that the code holds; raises `ValueError` for one that is too long."""
    address = f"{check_url.rstrip('/')}/{serial}".upper()
    if len(address) > ADDRESS_CHARACTERS_MAX:
        raise ValueError(f"a check address has at most {ADDRESS_CHARACTERS_MAX} characters")
    return address


def draw(check_url: str, serial: Serial) -> Qr:
    """The code for one serial, error correction M (15 % of it may be lost)."""
    # A fixed mask saves trying all eight; ours spreads capitals well enough for every reader tried.
    code = segno.make_qr(check_address(check_url, serial), error="m", mask=2, boost_error=False)
    rows = [bytes(row) for row in code.matrix]
    runs = []
    for number, row in enumerate(rows):
        low = len(rows) - 1 - number
        start = row.find(1)
        while start >= 0:
            end = row.find(0, start)
            end = len(row) if end < 0 else end
            runs.append(b"%d %d %d %.2f re" % (start, low, end - start, 1 + _OVERLAP))
            start = row.find(1, end)
    return Qr(len(rows), QUIET_MODULES, b"\n".join(runs))
