"""The trailer of a later update, compared with the one before it (ISO 32000-2, section 7.5.5).

It says the same of the file, and what it says beside that is short: readers that look for objects by
themselves look into it, too.
"""

from meterai.sealing.checking.later_state import State
from meterai.sealing.checking.updates import NUMBER_MAX, Found, Update
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.pdf.syntax import Ref

_SECTION_KEYS = {"/Size", "/Prev", "/XRefStm"}
_STREAM_KEYS = {  # of a cross-reference stream
    *("/Type", "/W", "/Index", "/Length", "/Filter", "/DecodeParms"),
    "/DL",  # how long its data are about (table 5)
}
# Of the file; the last two are of LibreOffice, and no reader looks for them.
_FILE_KEYS = {"/Root", "/Info", "/ID", "/Encrypt", "/DocChecksum", "/AdditionalStreams"}
_SHORT_MAX = 64  # bytes; nearly all identifiers have 16, names of types at most so many
_STREAMS_MAX = 16  # a type and a stream of each office document inside

_Entries = dict[str, StrictValue]


def compare_trailers(state: State, before: _Entries, update: Update) -> None:
    """Raises `Found` for what a trailer may not say."""
    after = update.trailer
    known = _SECTION_KEYS | _FILE_KEYS | (_STREAM_KEYS if update.is_stream else set())
    for key in after.keys() - known:
        raise Found("trailer", key=key)
    if type(after.get("/DL", 0)) is not int:
        raise Found("trailer", key="/DL")
    for key in ("/Root", "/Encrypt"):
        if not state.is_same(before.get(key), None, after.get(key), None):
            raise Found("trailer", key=key)
    for key in ("/Prev", "/XRefStm"):
        if type(after.get(key, 0)) is not int:
            raise Found("trailer", key=key)
    if "/XRefStm" in after and update.is_stream:
        raise Found("trailer", key="/XRefStm")  # it belongs to a table
    _check_what_nobody_reads(after)
    _compare_identifiers(before, after)
    _compare_size(before.get("/Size"), after.get("/Size"), update)


def _check_what_nobody_reads(after: _Entries) -> None:
    """What LibreOffice writes for itself, and others copy, holds nothing that a reader could take for more."""
    checksum, streams = "/DocChecksum", "/AdditionalStreams"
    if not _is_short(after.get(checksum, "")):
        raise Found("trailer", key=checksum)
    listed = after.get(streams, [])
    if not isinstance(listed, list) or len(listed) > _STREAMS_MAX:
        raise Found("trailer", key=streams)
    if not all(isinstance(one, Ref) or (type(one) is str and _is_short(one)) for one in listed):
        raise Found("trailer", key=streams)


def _compare_identifiers(before: _Entries, after: _Entries) -> None:
    old, new = before.get("/ID"), after.get("/ID")
    # Nothing depends on the identifier but a key; some programs leave it out.
    if new is None and "/Encrypt" not in before:
        return
    if not isinstance(new, list) or len(new) != 2 or not all(map(_is_short, new)):
        raise Found("trailer", key="/ID")
    if isinstance(old, list) and new[:1] != old[:1]:
        raise Found("trailer", key="/ID")


def _compare_size(was: StrictValue, size: StrictValue, update: Update) -> None:
    if not isinstance(was, int) or not isinstance(size, int):
        raise Found("trailer", key="/Size")
    if not was <= size <= max(was, NUMBER_MAX):
        raise Found("trailer", key="/Size")
    if any(number >= size for number in update.objects.keys() | update.structure):
        raise Found("trailer", key="/Size")


def _is_short(value: StrictValue) -> bool:
    return isinstance(value, str | bytes) and len(value) <= _SHORT_MAX
