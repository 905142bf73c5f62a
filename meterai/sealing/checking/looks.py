"""What is seen: pages drawn as they were sealed and as they are now.

A signature made after the seal may have a picture.  It may be on nothing but blank paper, for hiding
words under it is the "sneaky signature" attack on certified documents (Rohlmann et al., 2021), and
beside it nothing may look another way, nor may it look like a stamp itself.  Layers (optional
content, ISO 32000-2, section 8.11) are drawn as they are at first and, where there are any, all of
them: what a layer hides today a reader may show tomorrow.

Drawn is every page that an update wrote, or the annotations of which it wrote, and all pages of a
short document: what should not differ there is looked at all the same, by PDFium.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice

from meterai.kit.serial import Serial
from meterai.sealing.checking.annotation_extent import extent, rectangle
from meterai.sealing.checking.drawn_alike import (
    refuse_if_drawn_before,
    refuse_if_drawn_differently,
    refuse_if_pictures_differ,
)
from meterai.sealing.checking.drawn_copies import with_all_layers, with_pictures_cut
from meterai.sealing.checking.later_places import Widget
from meterai.sealing.checking.measures import is_near
from meterai.sealing.checking.revisions import Later
from meterai.sealing.checking.updates import Found
from meterai.sealing.pdf.document import Document, open_document
from meterai.sealing.pdf.extents import Listing
from meterai.sealing.pdf.pages import Box, Page, PageTree
from meterai.sealing.pdf.rebuilding import first_found_otherwise
from meterai.sealing.pdf.syntax import Ref
from meterai.sealing.sandbox import rendering
from meterai.sealing.sandbox.answers import Seen
from meterai.sealing.sandbox.rendering import Fractions, PageLook, Place
from meterai.sealing.stamp.identifiers import is_serial, serial_in_name

ANNOTATIONS_MAX = 20_000  # of one page, looked at
PAGES_MAX = 60  # drawn in one document; a page of text costs 100 ms, a task has two seconds
STAMPS_MAX = 4  # that boxes are compared with; those of one seal are alike
PAGES_FEW = 4  # of a document all pages of which are drawn, whatever was appended
OVERLAPS_MAX = 100_000  # pairs of later boxes on a page
EDGE_POINTS = 1.0  # which neighbours share
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_DELIMITERS = re.compile(r"[^0-9A-Za-z\s-]")  # what an address is divided by, or ends with
_PRINTED, _NOT_ON_PAPER_ALONE = 4, 2 | 32  # flags: print; hidden, no view (ISO 32000-2, table 167)
_NEVER_SEEN = {"/Link", "/Popup"}  # PDFium shows neither

_Boxes = dict[int, list[Box]]
_Elsewhere = dict[int, list[tuple[int, Box]]]


def first_seen(
    sealed: Document, now: Document, later: Sequence[Later], password: bytes
) -> Seen | None:
    """The first thing that is seen to have changed.  Raises `rendering.NotDrawn`.

    PDFium and another renderer draw: this runs only in the processes of `bounded`.
    """
    widgets = [widget for one in later for widget in one.field.widgets]
    _refuse_if_placed_apart(sealed, widgets)
    seen = [widget for widget in widgets if widget.is_visible]
    boxes, elsewhere = _boxes_of(seen)
    pages = {page.number: page for page in PageTree(sealed).all()}
    written = {page.number for page in pages.values() if _is_written(page, sealed, now)}
    drawn = sorted(pages if later and len(pages) <= PAGES_FEW else written | boxes.keys())
    if len(drawn) > PAGES_MAX:
        raise rendering.NotDrawn
    over = (one for one in seen if _is_over_another(sealed, pages[one.page], one))
    hiding = next(over, None) or _first_over_a_later(later)
    if hiding is not None:
        return _seen("covered", pages[hiding.page], hiding.rectangle)
    looks = [
        _look(
            pages[number],
            boxes.get(number, ()),
            elsewhere.get(number, ()),
            is_printed_alike=_is_printed_alike(pages[number], now),
        )
        for number in drawn
    ]
    if not looks:
        return None
    stamps = list(islice(_stamps(sealed, pages.values()), STAMPS_MAX)) if boxes else []
    for before, after, cut in _variants(sealed, now, seen, password):
        found_change = rendering.first_change(
            rendering.Copies(before, after, cut, len(pages), password), looks, stamps, _is_ours
        )
        if found_change is not None:
            kind, number, box = found_change
            page = pages[number]
            return _seen(kind, page, boxes[number][box] if box >= 0 else page.box)
    if boxes:
        _refuse_if_drawn_apart(sealed, now, seen, pages)
    return None


def is_rebuilt_by_some(sealed: Document, now: Document) -> bool:
    """True where some reader may look for the objects of one of the two by itself, and not of the other.

    It then takes what `rebuilding` asks for.  Poppler does so for a reference that leads nowhere where the newest
    cross-reference is a table, and takes none that is in a stream.  Ghostscript does so for any table whose way
    leads to a stream, and takes what is in object streams for the newest.  Programs that sign write on as the
    file was written.
    """
    if first_found_otherwise(sealed, Listing(sealed)) is not None:
        return True
    behind = now.sections[: len(now.sections) - len(sealed.sections)]
    return any(one.is_stream != sealed.sections[0].is_stream for one in behind)


def _refuse_if_placed_apart(sealed: Document, widgets: Iterable[Widget]) -> None:
    """Raise `NotDrawn` for later signatures that some readers have elsewhere; `Found` for one that fills what
    is drawn by its kind, wherever that is: a line, an icon."""
    for widget in widgets:
        if not is_near(widget.rectangle):
            raise rendering.NotDrawn
        if _is_of(sealed, widget) and not _is_field_alone(sealed, widget):
            raise Found("object_changed", widget.number, page=widget.page, key="/Subtype")


def _refuse_if_drawn_apart(
    sealed: Document, now: Document, seen: Sequence[Widget], pages: Mapping[int, Page]
) -> None:
    """Raise `NotDrawn` where readers may draw something else than ours in the boxes of later signatures."""
    under: _Boxes = {}
    for widget in seen:
        if any(_is_beside_what_is_drawn(pages[widget.page], box) for box in widget.places):
            raise rendering.NotDrawn
        under.setdefault(widget.page, []).extend(widget.places)
    refuse_if_drawn_differently(
        sealed, [(pages[number], under[number]) for number in sorted(under)]
    )
    refuse_if_pictures_differ(now, [(one.number, pages[one.page]) for one in seen])
    refuse_if_drawn_before(sealed, [one.number for one in seen if _is_of(sealed, one)])


def _boxes_of(seen: Sequence[Widget]) -> tuple[_Boxes, _Elsewhere]:
    """The boxes of each page; and where some of them, by their index, lie when somebody turns it."""
    boxes: _Boxes = {}
    elsewhere: _Elsewhere = {}
    for widget in seen:
        of_page = boxes.setdefault(widget.page, [])
        turned = elsewhere.setdefault(widget.page, [])
        turned += ((len(of_page), box) for box in widget.turned)
        of_page.append(widget.rectangle)
    return boxes, elsewhere


def _is_over_another(sealed: Document, page: Page, widget: Widget) -> bool:
    """True if a later signature lies over an annotation that was sealed: some readers draw what others
    do not.

    A field that waited for its signature is no other annotation.  Raises `Found` for one that does not turn
    with a page that is turned: it lies where each reader thinks best.
    """
    if widget.is_upright and page.quarter_turns:
        raise Found("annotation_added", widget.number, page=page.number, key="/F")
    for index, item in enumerate(sealed.items(page.entries, b"/Annots")):
        if index > ANNOTATIONS_MAX:
            raise rendering.NotDrawn
        if isinstance(item, Ref) and item.number == widget.number:
            continue
        box = extent(sealed, sealed.dictionary(item))
        if box is not None and any(_common(box, one) is not None for one in widget.places):
            return True
    return False


def _is_of(sealed: Document, widget: Widget) -> bool:
    """True for a field that was sealed, and waited for its signature."""
    return sealed.locate(widget.number) is not None


def _is_field_alone(sealed: Document, widget: Widget) -> bool:
    """True for a field that is no line, note or stamp besides, which readers draw by what its kind says."""
    entries = sealed.dictionary(Ref(widget.number, 0))
    return sealed.entry(entries, b"/Subtype") == "/Widget"


def _first_over_a_later(later: Sequence[Later]) -> Widget | None:
    """The first later signature that lies over one that was there before it."""
    before: dict[int, list[Widget]] = {}
    looked = 0
    for one in later:
        own = [widget for widget in one.field.widgets if widget.is_visible]
        for widget in own:
            others = before.get(widget.page, [])
            looked += len(others)
            if looked > OVERLAPS_MAX:
                raise rendering.NotDrawn
            if any(_overlap(widget, other) for other in others):
                return widget
        for widget in own:
            before.setdefault(widget.page, []).append(widget)
    return None


def _overlap(one: Widget, other: Widget) -> bool:
    """True for two that share more than the edges at which programs put them side by side."""
    shared = (_common(mine, theirs) for mine in one.places for theirs in other.places)
    return any(
        box is not None and min(box[2] - box[0], box[3] - box[1]) > EDGE_POINTS for box in shared
    )


def _is_beside_what_is_drawn(page: Page, box: Box) -> bool:
    """True for a box that lies on the medium where the page is cropped: some readers show that, and we do not."""
    on_medium = _common(box, page.medium)
    return on_medium is not None and on_medium != _common(on_medium, page.box)


def _common(one: Box, other: Box) -> Box | None:
    left, low = max(one[0], other[0]), max(one[1], other[1])
    right, top = min(one[2], other[2]), min(one[3], other[3])
    return (left, low, right, top) if left < right and low < top else None


def _stamps(sealed: Document, pages: Iterable[Page]) -> Iterator[Place]:
    """The stamps that were sealed, page by page: what is named as they are."""
    for page in pages:
        for index, item in enumerate(sealed.items(page.entries, b"/Annots")):
            if index > ANNOTATIONS_MAX:
                raise rendering.NotDrawn
            annotation = sealed.dictionary(item)
            names = (sealed.text(annotation, key) for key in (b"/T", b"/NM") if annotation)
            box = rectangle(sealed, annotation)
            if box is not None and any(is_serial(serial_in_name(name) or "") for name in names):
                yield Place(_look(page, (), is_printed_alike=True), _fractions(page, box))


def _is_ours(text: str) -> bool:
    """True for the text of a code from which a serial is read as our pages read it: in small letters,
    escaped, with signs between or behind it."""
    plain = _ESCAPE.sub(lambda found: chr(int(found[1], 16)), text)
    return any(map(_is_typed, _DELIMITERS.split(plain)))


def _is_typed(text: str) -> bool:
    try:
        Serial.typed(text)
    except ValueError:
        return False
    return True


def _is_written(page: Page, sealed: Document, now: Document) -> bool:
    """True if an update wrote the page again, the list of its annotations, or one of them."""
    annotations = page.entries.get(b"/Annots")
    items = sealed.items(page.entries, b"/Annots")
    if len(items) > ANNOTATIONS_MAX:
        raise rendering.NotDrawn
    return any(
        isinstance(one, Ref) and now.row(one.number)[1] != sealed.row(one.number)[1]
        for one in (page.ref, annotations, *items)
    )


def _is_printed_alike(page: Page, now: Document) -> bool:
    """True if a page has no layers, and each of its annotations is on the screen and on paper, or on neither."""
    if b"/OCProperties" in now.root:
        return False
    for item in now.items(now.dictionary(page.ref), b"/Annots"):
        annotation = now.dictionary(item)
        flags = now.entry(annotation, b"/F")
        if now.entry(annotation, b"/Subtype") in _NEVER_SEEN:
            continue
        if type(flags) is not int or flags & (_PRINTED | _NOT_ON_PAPER_ALONE) != _PRINTED:
            return False
    return True


def _look(
    page: Page,
    boxes: Sequence[Box],
    elsewhere: Sequence[tuple[int, Box]] = (),
    *,
    is_printed_alike: bool,
) -> PageLook:
    size = page.size
    return PageLook(
        page.number,
        size.width / page.unit,
        size.height / page.unit,
        tuple(_fractions(page, box) for box in boxes),
        is_printed_alike,
        tuple((index, _fractions(page, box)) for index, box in elsewhere),
    )


def _fractions(page: Page, box: Box) -> Fractions:
    left, low, right, top = page.seen(box)
    width, height = page.size.width, page.size.height
    return left / width, 1 - top / height, right / width, 1 - low / height


def _seen(kind: str, page: Page, box: Box) -> Seen:
    left, low, right, top = page.seen(box)
    return Seen(kind, page.number, left, low, right - left, top - low)


def _variants(
    sealed: Document, now: Document, widgets: Sequence[Widget], password: bytes
) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The file as sealed, as it is, and with the new pictures cut; where there are layers, with all shown."""
    cut = with_pictures_cut(now, [one.number for one in widgets])
    yield sealed.buffer, now.buffer, cut
    if b"/OCProperties" in sealed.root:
        yield (
            with_all_layers(sealed),
            with_all_layers(now),
            with_all_layers(open_document(cut, bytes_max=len(cut), password=password)),
        )
