"""What follows a seal, compared with what was sealed, and drawn: the part that runs in a task.

The renderers are loaded for it, which nobody else pays for.
"""

from collections.abc import Sequence

from meterai.sealing.checking.gaps import Gap
from meterai.sealing.checking.later_signatures import Signed
from meterai.sealing.checking.looks import first_seen, is_rebuilt_by_some
from meterai.sealing.checking.revisions import Later, later_signatures
from meterai.sealing.checking.updates import Found
from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.document import as_document_broken, open_document
from meterai.sealing.sandbox.answers import Change, Compared, LaterSignature, Seen
from meterai.sealing.sandbox.rendering import NotDrawn

KEY_MAX, NAME_MAX = 127, 256  # characters of a key, and of a signer's name, that are told


def compared(file: bytes, gaps: Sequence[Gap], password: bytes) -> Compared:
    """Compare and draw what is in the gaps: this runs only in the processes of `bounded`."""
    found: list[LaterSignature] = []
    for gap in gaps:
        try:
            later, seen = _in_gap(file[: gap.until], gap.end, password)
        except Found as change:
            return Compared(Change(change.kind, change.number, change.page, change.key[:KEY_MAX]))
        except DocumentBroken:
            # What cannot be read was not written by a signing program.
            return Compared(Change("unreadable"))
        found += [_told(one.signed, one.page) for one in later if one.signed is not None]
        if seen is not None:
            return Compared(None, found, seen)
    return Compared(None, found)


def _in_gap(file: bytes, end: int, password: bytes) -> tuple[list[Later], Seen | None]:
    with as_document_broken():
        now = open_document(file, bytes_max=len(file), password=password)
        sealed = open_document(file[:end], bytes_max=end, password=password)
        later = later_signatures(now, sealed)
        if is_rebuilt_by_some(sealed, now):
            return later, Seen("not_drawn")
        try:
            return later, first_seen(sealed, now, later, password)
        except NotDrawn:
            return later, Seen("not_drawn")


def _told(signed: Signed, page: int) -> LaterSignature:
    return LaterSignature(signed.signer[:NAME_MAX], signed.at, page, signed.is_time_stamp)
