"""Identifiers of our seals: field name, reason, private dictionary, alternative text, flags.

Verifiers rely on them.  They are part of the format of a stamped file and must not change.

The reason has the form that the national system uses, `[SERIAL] ...`, so that a program which finds the serial in seals of that
system finds it in ours too.
"""

import re
from collections.abc import Sequence

from meterai.kit.serial import Serial
from meterai.sealing.stamp.wording import Wording

FIELD_PREFIX = "Meterai_"
STATEMENT_PREFIX = "Statement_"
SEAL_KEY = "MeteraiSeal"  # private dictionary in the signature, the record of a seal
FORMAT_VERSION = 1  # in that dictionary; verifiers have the rules of each version
STATEMENT_KEY = "MeteraiStatement"  # that of a statement of the operator, sealed without a stamp
STATEMENT_VERSION = 1
SIGNATURE_HEAD = b"/Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached"
PURPOSE = "Meterai elektronik Rp10.000"
STATEMENT_PURPOSE = "Pernyataan operator, bukan meterai (a statement, not a stamp)"

_PRINT, _READ_ONLY, _LOCKED, _LOCKED_CONTENTS = 4, 64, 128, 512  # ISO 32000-1, table 165
WIDGET_FLAGS = _PRINT | _LOCKED
ANNOTATION_FLAGS = _PRINT | _READ_ONLY | _LOCKED | _LOCKED_CONTENTS

_BRACKETED = re.compile(r"\[([0-9A-Z]{22})\]")


def field_name(serial: Serial) -> str:
    """Return the name of the field or annotation of a stamp."""
    return f"{FIELD_PREFIX}{serial}"


def reason(serials: Sequence[Serial]) -> str:
    """Return the text of the reason (/Reason) of a seal with these serials."""
    return " ".join([*(f"[{serial}]" for serial in serials), PURPOSE])


def alt_text(serial: Serial, words: Wording) -> str:
    """Return the alternative text of a stamp, for screen readers."""
    return (
        f"{PURPOSE}, nomor seri {serial.grouped()}, dibubuhkan {words.sealed_at}, "
        f"periksa di {words.host}"
    )


def serials_in_reason(text: str) -> tuple[str, ...]:
    """Return the well-formed serials in the text of a reason, in order."""
    return tuple(found for found in _BRACKETED.findall(text) if is_serial(found))


def serial_in_name(text: str) -> str | None:
    """Return the text behind our prefix in the name of a field or annotation; `None` if the name has another prefix."""
    return text.removeprefix(FIELD_PREFIX) if text.startswith(FIELD_PREFIX) else None


def is_serial(text: str) -> bool:
    """True if the text is a well-formed serial."""
    try:
        Serial(text)
    except ValueError:
        return False
    return True
