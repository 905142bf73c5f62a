"""The numbers of all objects that a file refers to, in any way that some reader follows.

Readers differ in what they take for a reference: leading zeros, more digits than a number may have
(which wrap around beyond 31 or 32 bits), a fraction, a sign, a vertical tab or another control character
between the parts, a comment.  A number that any of them would see counts.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, islice
from operator import itemgetter

from meterai.sealing.model import DocumentBroken, ReferencesUnresolved
from meterai.sealing.pdf.cross_reference import IN_FILE, IN_STREAM, OBJECT, ROWS_MAX
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.extents import end_of_object

WITHOUT_REFERENCES = (
    10_000  # numbers; twice what may follow a seal (`checking.updates.OBJECTS_MAX`)
)
SKIPPED_MAX = 1_000_000  # numbers left out; some readers keep a row in memory for each
# Of the first of our objects: Ghostscript, which keeps all rows in memory, opens no file with one of 4,000,000.
NUMBER_MAX = 3_000_000
_MISSING_MAX = 32  # numbers that are looked for one by one
_KEY_BYTES = 16  # before a reference, in which its key is looked for
_DIGITS_MAX = 64  # of a number; readers stop earlier

_BLANK = rb"\0-\x20\x80\xff"  # the last two are white space for PDFium
# A reference from its end, where it has the rarest letter: read forwards it takes fifteen times as long.
# Some readers need no white space where a sign or the R itself divides.
_BACKWARDS = re.compile(rb"R[%b]*+[\d.]++(?:[+-]?+[%b]++|[+-])([.\d]*\d)" % (_BLANK, _BLANK))
# A comment behind a number, and what stands behind that comment if the number is of a reference.
_COMMENT_BACKWARDS = re.compile(rb"%%[%b]*+[\d.][\d.+\-%b]*+" % (_BLANK, _BLANK))
_WRITTEN = itemgetter(1)
_BATCH = 8_192  # references whose digits are held at once
_REFERENCE_BYTES = 2  # parsed in the time that a reference costs
_NUMBER_BYTES = 4  # and that another number costs, for which there must be room
_COMMENT_BYTES = 16  # parsed in the time that a comment behind a number costs
_COMMENTS_MAX = 16  # in one reference; where more follow, it is taken for one
_BEHIND_COMMENT = re.compile(
    rb"[\r\n](?:[%b]*+%%[^\r\n]*+[\r\n]){0,%d}+[%b]*+(?:[%%R]|[+-]?+[\d.]++[%b]*+[%%R])"
    % (_BLANK, _COMMENTS_MAX, _BLANK, _BLANK)
)
_SPACE = rb"(?:[%b]|%%[^\r\n]{0,128}+[\r\n])" % _BLANK
_LONG_COMMENT = rb"%[^\r\n]{129}"  # what is behind one is not looked at: it counts
_WRAPPED = rb"[1-9]\d{9,}+"  # a number that some readers take for another, whichever it is
_LINE_END = re.compile(rb"[\r\n]")
_DIGITS = re.compile(rb"(?<![\d.])\d[\d.]*+")
_PARTS_MAX = 3  # numbers before a comment, of which one may begin a reference
_WRAPS = (0x8000_0000, 0x1_0000_0000)
_CUTS = (9, 10)  # digits after which some readers stop


def references_of(document: Document) -> set[int]:
    """Every number that a reference in the file, or in one of its object streams, may name."""
    found: set[int] = set()
    for text in texts_of(document):
        for batch in _batches(text, document.note_parsed):
            document.note_parsed(_NUMBER_BYTES * len(batch - found))
            found |= batch
    return found


def texts_of(document: Document) -> Iterator[bytes]:
    """The file, and what each of its object streams holds: wherever an object may be written."""
    yield document.buffer
    for number in _object_streams(document):
        yield document.object_stream(number)


def first_unreferred(document: Document) -> int:
    """The first number for new objects: from there on no number that something refers to follows closely.

    What refers to an object that does not exist would refer to one of ours: an array of annotations would
    show a stamp on a page where nobody put it.  Programs that sign later count from there on, too.
    Refuses with `ReferencesUnresolved` where there is no such number within bounds.
    """
    first = document.size
    for number in sorted(one for one in references_of(document) if one >= first):
        if number >= first + WITHOUT_REFERENCES:
            break
        first = number + 1
    if first > min(document.size + SKIPPED_MAX, NUMBER_MAX):
        raise ReferencesUnresolved(
            "references to objects that the document lacks, in too many places"
        )
    return first


class Places:
    """Where the objects of a document are written that count: what looks like a reference elsewhere, or in the
    data of a stream, is none.

    What may change in one place must be in one place: an array that is the evidence of a signature and the
    content of a page as well changes what is drawn.
    """

    def __init__(self, document: Document) -> None:
        self._document = document
        self._starts = _starts(document)
        # The furthest end of those that begin so far: objects may stand in objects.
        self._ends = list(accumulate((end_of_object(document, at) for at in self._starts), max))

    def times_referred(self, number: int, *, besides: Sequence[bytes] = ()) -> int:
        """How often these objects refer to an object, but below the keys `besides`."""
        reference, document = _reference_to(number), self._document
        count = sum(
            self._is_in_one(found.start())
            and not _is_below(document.buffer, found.start(), besides)
            for found in reference.finditer(document.buffer)
        )
        for holder in _object_streams(document):
            inside = sorted((at, one) for one, at in document.streamed(holder))
            text = document.object_stream(holder)
            for found in reference.finditer(text):
                index = bisect_right(inside, (found.start(), ROWS_MAX)) - 1
                row = document.row(inside[index][1])[1] if index >= 0 else None
                if row is not None and row.kind == IN_STREAM and row.where == holder:
                    count += not _is_below(text, found.start(), besides)
        return count

    def is_referred_to(self, number: int) -> bool:
        """True if one of these objects, or a trailer, refers to an object."""
        reference = _reference_to(number)
        trailers = (
            part.trailer.inside for section in self._document.sections for part in section.parts
        )
        return self.times_referred(number) > 0 or any(map(reference.search, trailers))

    def _is_in_one(self, at: int) -> bool:
        index = bisect_right(self._starts, at) - 1
        return index >= 0 and self._ends[index] > at


def _is_below(text: bytes, start: int, keys: Sequence[bytes]) -> bool:
    return text[max(0, start - _KEY_BYTES) : start].rstrip().endswith(tuple(keys))


def _reference_to(number: int) -> re.Pattern[bytes]:
    """A reference to an object, in any way that some reader takes for one."""
    return re.compile(
        # A number and an R that are no part of a word: serials are printed in groups of letters and digits.
        rb"(?<![A-Za-z\d.])0*(?:%d|%b)(?:\.\d*+)?(?:%b|[+-]|(?=%%))%b*+"
        rb"(?:%b|[+-]?[\d.]++%b*+(?:%b|R(?![A-Za-z\d])))"
        % (number, _WRAPPED, _SPACE, _SPACE, _LONG_COMMENT, _SPACE, _LONG_COMMENT)
    )


def _starts(document: Document) -> list[int]:
    """Where the objects begin that count; a row that does not lead to its object says nothing."""
    starts: set[int] = set()
    said: set[int] = set()  # the numbers that newer sections have the last word on
    rows = 0
    for section in document.sections:
        numbers: list[int] = []
        for part in section.parts:
            rows += part.rows
            if rows > ROWS_MAX:
                raise DocumentBroken("too many rows to compare")
            numbers += part.numbers()
            for number, row in part.entries():
                if row.kind == IN_FILE and number not in said:
                    header = OBJECT.match(document.buffer, row.where + document.shift)
                    if header is not None and int(header[1]) == number:
                        starts.add(header.start(1))
        said.update(numbers)
    return sorted(starts)


def _object_streams(document: Document) -> set[int]:
    """The numbers of the streams that rows of any section say objects are in."""
    holders: set[int] = set()
    count = 0
    for section in document.sections:
        for part in section.parts:
            count += part.rows
            if count > ROWS_MAX:
                raise DocumentBroken("too many rows to compare")
            holders |= part.holders()
    return holders


def _batches(text: bytes, note_parsed: Callable[[int], None]) -> Iterator[set[int]]:
    """The numbers that references in a text may name: some at a time, for hostile files have millions."""
    backwards = text[::-1]
    references = _BACKWARDS.finditer(backwards)
    while ends := list(map(_WRITTEN, islice(references, _BATCH))):
        note_parsed(_REFERENCE_BYTES * len(ends))
        yield _numbers(set(b" ".join(ends)[::-1].split()))
    comments = _behind_comments(text, backwards, note_parsed)
    while digits := set(islice(comments, _BATCH)):
        yield _numbers(digits)


def _behind_comments(
    text: bytes, backwards: bytes, note_parsed: Callable[[int], None]
) -> Iterator[bytes]:
    """The digits before a comment that stands within a reference."""
    end, is_inside = len(text), False
    for comment in _COMMENT_BACKWARDS.finditer(backwards):
        note_parsed(_COMMENT_BYTES)
        # From the end of the file on: what follows a comment is the same for all that end there.
        start, stop = len(text) - comment.end(), len(text) - comment.start()
        line_end = _LINE_END.search(text, stop, end)
        end = stop
        if line_end is not None:
            is_inside = _BEHIND_COMMENT.match(text, line_end.start()) is not None
        if is_inside:
            yield from _DIGITS.findall(text, start, stop)[-_PARTS_MAX:]


def _numbers(written: set[bytes]) -> set[int]:
    """What readers make of the digits of a number."""
    plain = {one for one in written if len(one) <= _CUTS[0] and one.isdigit()}
    found = set(map(int, plain))
    for one in written - plain:
        digits = one.split(b".")[0].lstrip(b"0")[:_DIGITS_MAX] or b"0"
        number = int(digits)
        found.add(number)
        if len(digits) > _CUTS[0]:
            found.update(number % wrap for wrap in _WRAPS)
            found.update(int(digits[:cut]) for cut in _CUTS)
    return found
