"""The document as it stands before an update: what was sealed, and earlier updates over it."""

import math
import re
from collections.abc import Callable
from functools import cached_property

from meterai.sealing.checking.updates import (
    Found,
    Update,
    Written,
    sealed_object,
    strictly,
)
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.forms import fields
from meterai.sealing.pdf.pages import Page, PageTree
from meterai.sealing.pdf.references import Places, references_of
from meterai.sealing.pdf.strict import StrictValue, Uncertain
from meterai.sealing.pdf.syntax import DEPTH_MAX, Dictionary, Ref, Value

_ROUNDED = 1e-8  # of a number; readers calculate with 24 bits
_AES_BLOCK, _AES_MIN = 16, 32  # bytes of a string enciphered by AES: a block before it, and padding


class State:
    """The objects before an update, by number.  Raises `Found` for one that readers read
    differently."""

    def __init__(self, sealed: Document) -> None:
        self.sealed = sealed
        self._later: dict[int, Written] = {}
        self._structure: set[int] = set()
        self._known: dict[int, Written | None] = {}

    def object(self, number: int) -> Written | None:
        """The object; `None` if there is none of this number."""
        found = self._later.get(number)
        if found is not None:
            return found
        if number not in self._known:
            self._known[number] = sealed_object(self.sealed, number)
        return self._known[number]

    def is_taken(self, number: int) -> bool:
        """True if the number is that of an object, or of what holds objects."""
        return (
            number in self._later
            or number in self._structure
            or self.sealed.locate(number) is not None
        )

    def is_for_new_readers(self, number: int) -> bool:
        """True for a sealed object that the table of a hybrid file hides from old readers (7.5.8.4): for
        those it would begin to be when it is written again."""
        if number in self._later:
            return False
        index, row = self.sealed.row(number)
        return row is not None and self.sealed.sections[index].hides(number)

    def follow(self, update: Update) -> None:
        """Go on to the document behind an update."""
        self._later.update(update.objects)
        self._structure |= update.structure

    @cached_property
    def pages(self) -> list[Page]:
        """The pages, which no update may add or remove."""
        return list(PageTree(self.sealed).all())

    def annotations(self, page: Page) -> StrictValue | Value:
        """What stands under /Annots of a page now."""
        written = self._later.get(page.ref.number)
        if written is not None:
            return entries_of(written.value, page.ref.number).get("/Annots")
        return page.entries.get(b"/Annots")

    @cached_property
    def has_other_fields(self) -> bool:
        """True if the form, or any page, has a field that is not for a signature, or that some reader may take
        for another."""
        if any(
            field.kind not in ("", "/Sig") or not _is_plain(field.entries)
            for field in fields(self.sealed)
        ):
            return True
        return any(
            page.entries.is_ambiguous
            or any(map(self._is_other_widget, self.sealed.items(page.entries, b"/Annots")))
            for page in self.pages
        )

    def _is_other_widget(self, item: Value) -> bool:
        annotation = self.sealed.dictionary(item)
        if annotation is None:
            # Some readers do not mind the generation of a reference.
            return isinstance(item, Ref) and self.sealed.locate(item.number) is not None
        kind = self.sealed.entry(annotation, b"/Subtype")
        if annotation.is_ambiguous or kind == "/FreeText":
            return True  # readers that draw a text anew take its font from the form, too
        if kind != "/Widget":
            return False
        for _ in range(DEPTH_MAX):
            if not _is_plain(annotation):
                return True
            kind, parent = self.sealed.entry(annotation, b"/FT"), annotation.get(b"/Parent")
            above = self.sealed.dictionary(parent)
            if kind is not None or above is None:
                return kind != "/Sig"
            annotation = above
        return True

    @cached_property
    def names_of_others(self) -> set[str]:
        """The full names of all fields and widgets that are not for a signature, as readers may read them.

        Fields of one name are one field (12.7.4.2): readers would take such a one for what a signature is in.
        """
        found: list[Value] = [one.ref or one.entries for one in fields(self.sealed)]
        for page in self.pages:
            found += self.sealed.items(page.entries, b"/Annots")
        alone = [one for one in found if not isinstance(one, Ref)]
        referred = {one for one in found if isinstance(one, Ref)}
        return {name for one in (*alone, *referred) for name in self._full_names(one)}

    def _full_names(self, item: Value) -> set[str]:
        """The full name of a field or a widget, in each of its readings; nothing for one of a signature."""
        kind: Value = None
        is_clear = True
        parts: list[tuple[str, str]] = []
        for depth in range(DEPTH_MAX):
            node = self._of_any_generation(item)
            if node is None:
                break
            if not depth and self.sealed.entry(node, b"/Subtype") not in (None, "/Widget"):
                return set()
            self.sealed.note_parsed(_LOOK_BYTES)
            kind = kind or self.sealed.entry(node, b"/FT")
            is_clear &= not node.is_ambiguous
            if b"/T" in node:
                parts.append(readings(self.sealed.octets(node, b"/T") or b""))
            item = node.get(b"/Parent")
        if not parts or (kind == "/Sig" and is_clear):
            return set()
        return {".".join(reversed(one)) for one in zip(*parts, strict=True)}

    def _of_any_generation(self, item: Value) -> Dictionary | None:
        """A dictionary, also where a reference states another generation, which some readers do not mind."""
        found = self.sealed.dictionary(item)
        if found is None and isinstance(item, Ref):
            location = self.sealed.locate(item.number)
            found = self.sealed.dictionary(location.owner) if location is not None else None
        return found

    def above(self, number: int) -> dict[str, StrictValue]:
        """What a page inherits from the nodes above it (ISO 32000-2, section 7.7.3.4)."""
        return {key: value for key, (value, _) in self.inherited(number).items()}

    def inherited(self, number: int) -> dict[str, tuple[StrictValue, Written]]:
        """The same, and which node holds it: by its number strings are deciphered."""
        found: dict[str, tuple[StrictValue, Written]] = {}
        written = self.object(number)
        for _ in range(DEPTH_MAX):
            entries = written.value if written is not None else None
            parent = entries.get("/Parent") if isinstance(entries, dict) else None
            node = self.object(parent.number) if isinstance(parent, Ref) else None
            if written is None or node is None or not isinstance(node.value, dict):
                break
            # Readers come down the tree: a node that does not list the page is not above it.
            kids = node.value.get("/Kids")
            kids = (
                held.value if isinstance(kids, Ref) and (held := self.object(kids.number)) else kids
            )
            if not isinstance(kids, list) or written.ref not in kids:
                return {}
            written, found = node, {key: (one, node) for key, one in node.value.items()} | found
        return found

    def refuse_unless_alone(self, number: int) -> None:
        """Raise `Found` for a sealed object that more than one place refers to, whatever wrote it again."""
        if self._places.times_referred(number) > 1:
            raise Found("object_shared", number)

    def refuse_unless_of_file(self, number: int) -> None:
        """Raise `Found` for a sealed catalog or information that is something else too: resources, say, the
        names in which are keys of a catalog."""
        if self._places.times_referred(number, besides=_OF_FILE) > 0:
            raise Found("object_shared", number)

    @cached_property
    def _places(self) -> Places:
        return Places(self.sealed)

    def refuse_if_waited_for(self, added: set[int]) -> None:
        """Raise `Found` for a number that something sealed refers to although it was no object.

        Such a reference is null (ISO 32000-2, section 7.3.10) until a later update makes it an
        object, which changes what was sealed ("shadow attack", Mainka et al., 2021).
        """
        waited_for = sorted(added & self._waited_for)
        # Some programs use the numbers below ours, which data may look like a reference to.
        for number in waited_for[:_WAITED_FOR_MAX]:
            if self._places.is_referred_to(number):
                raise Found("object_waited_for", number)
        if len(waited_for) > _WAITED_FOR_MAX:
            raise Found("object_waited_for", waited_for[-1])

    @cached_property
    def _waited_for(self) -> set[int]:
        return references_of(self.sealed)

    def plain(self, written: Written | None, text: bytes) -> bytes:
        """A string of an object as it was before encryption."""
        return text if written is None else self.sealed.decrypted(text, written.owner)

    def stream(self, written: Written) -> bytes | None:
        """The bytes of a stream before its filters, as they were before encryption."""
        cipher = self.sealed.cipher
        if written.stream is None or cipher is None:
            return written.stream
        return cipher.decrypt_stream(written.ref, written.stream)

    def is_same(
        self,
        one: StrictValue,
        of: Written | None,
        other: StrictValue,
        of_other: Written | None,
        moved: Callable[[Ref], Written | None] | None = None,
    ) -> bool:
        """True if two values, each of an object, are equal for every reader.

        `moved` gives the new object that a reference leads to: some programs make an object of a dictionary
        that stood in another.  Of other values they do not, and not everywhere do readers follow there.
        """
        return self._is_same(one, of, other, of_other, moved, 0)

    def _is_same(
        self,
        one: StrictValue,
        of: Written | None,
        other: StrictValue,
        of_other: Written | None,
        moved: Callable[[Ref], Written | None] | None,
        depth: int,
    ) -> bool:
        if depth > DEPTH_MAX:
            return False
        if isinstance(one, dict) and isinstance(other, Ref) and moved is not None:
            of_other = moved(other)
            if of_other is None or of_other.stream is not None:
                return False
            other = of_other.value
        if isinstance(one, dict) and isinstance(other, dict):
            # A key with null is not the same as none: readers inherit beside the one.
            return one.keys() == other.keys() and all(
                (key in _MEASURES and _are_same_measures(one[key], other[key]))
                or self._is_same(one[key], of, other[key], of_other, moved, depth + 1)
                for key in one
            )
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(
                self._is_same(item, of, twin, of_other, moved, depth + 1)
                for item, twin in zip(one, other, strict=True)
            )
        if isinstance(one, bytes) and isinstance(other, bytes):
            return self._is_same_string(one, of, other, of_other)
        if isinstance(one, float):
            return isinstance(other, float) and is_same_number(one, other)
        return type(one) is type(other) and one == other

    def _is_same_string(
        self, one: bytes, of: Written | None, other: bytes, of_other: Written | None
    ) -> bool:
        if isinstance(one, Uncertain):
            return False
        plain, twin = self.plain(of, one), self.plain(of_other, other)
        # What cannot be deciphered is read as empty, whatever it is.
        is_readable = all(
            len(text) >= _AES_MIN and not len(text) % _AES_BLOCK for text in (one, other)
        )
        return plain == twin and (bool(plain) or one == other or is_readable)

    def is_same_text(
        self, one: StrictValue, of: Written | None, other: StrictValue, of_other: Written | None
    ) -> bool:
        """True if two text strings say the same, however they are encoded (7.9.2.2)."""
        if not isinstance(one, bytes) or not isinstance(other, bytes):
            return self.is_same(one, of, other, of_other)
        return text_of(self.plain(of, one)) == text_of(self.plain(of_other, other))

    def is_same_data(
        self, one: StrictValue, of: Written, other: StrictValue, of_other: Written
    ) -> bool:
        """True for the same private data of a program (14.5), the texts in which may be encoded anew."""
        return self.is_same(
            self._in_one_encoding(one, of), None, self._in_one_encoding(other, of_other), None
        )

    def _in_one_encoding(self, value: StrictValue, of: Written, depth: int = 0) -> StrictValue:
        if depth > DEPTH_MAX:
            raise Found("object_unreadable", of.ref.number)
        if isinstance(value, bytes):
            return text_of(self.plain(of, value)).encode("utf-8", "backslashreplace")
        if isinstance(value, list):
            return [self._in_one_encoding(one, of, depth + 1) for one in value]
        if isinstance(value, dict):
            return {key: self._in_one_encoding(one, of, depth + 1) for key, one in value.items()}
        return value

    def is_unchanged(self, before: Written, after: Written) -> bool:
        """True if an object was written again as it was."""
        # A stream has no business here: readers differ in where it ends and how it is deciphered.
        if before.stream is not None or after.stream is not None or before.ref != after.ref:
            return False
        return self.is_same(before.value, before, after.value, after)


_LOOK_BYTES = 16  # parsed in the time that a look at a field costs besides its own
_WAITED_FOR_MAX = 32  # numbers that are looked for one by one

# Below these keys a trailer, and a signature that says what it protects (12.8.2), lead to what is of the file.
_OF_FILE = (b"/Root", b"/Info", b"/Data")

# Lists of coordinates and colours, in which a whole number may be written as another program writes it.
# Elsewhere (the codes of /Differences, the size of a table) readers want a whole number to be one.
_MEASURES = {
    *("/Rect", "/BBox", "/Matrix", "/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox"),
    *("/QuadPoints", "/Vertices", "/L", "/CL", "/RD", "/C", "/IC", "/Dest", "/D"),
}

# Where PDFDocEncoding differs from Latin-1 (ISO 32000-2, table D.2).
_DOC_ENCODING = dict(
    zip(
        (*range(0x18, 0x20), *range(0x80, 0x9F), 0xA0),
        "\u02d8\u02c7\u02c6\u02d9\u02dd\u02db\u02da\u02dc\u2022\u2020\u2021\u2026\u2014\u2013\u0192\u2044\u2039\u203a"
        "\u2212\u2030\u201e\u201c\u201d\u2018\u2019\u201a\u2122\ufb01\ufb02\u0141\u0152\u0160\u0178\u017d\u0131\u0142"
        "\u0153\u0161\u017e\u20ac",
        strict=True,
    )
)
_LANGUAGE = re.compile("\x1b[^\x1b]*+\x1b")
_NO_CHARACTERS = "\0\xad"  # at the end of a text: undefined in table D.2, and drawn by nobody


def text_of(octets: bytes) -> str:
    """A text string as text (ISO 32000-2, section 7.9.2.2), without what ends a text in memory: some programs
    write that U+0000 as well, and others encode it anew as a code of no character."""
    if octets.startswith(b"\xfe\xff"):
        return octets[2:].decode("utf-16-be", "backslashreplace").rstrip("\0")
    if octets.startswith(b"\xef\xbb\xbf"):
        return octets[3:].decode("utf-8", "backslashreplace").rstrip("\0")
    return octets.decode("latin-1").rstrip(_NO_CHARACTERS).translate(_DOC_ENCODING)


def readings(octets: bytes) -> tuple[str, str]:
    """The name of a field as the standard and as lenient readers have it, without what they leave out: control
    characters, the name of a language between two of them (7.9.2.2), half a character."""
    lenient = text_of(octets)
    for mark, encoding in ((b"\xfe\xff", "utf-16-be"), (b"\xff\xfe", "utf-16-le")):
        if octets.startswith(mark):
            lenient = octets[2:].decode(encoding, "ignore")
    return _printable(text_of(octets)), _printable(lenient)


def _printable(text: str) -> str:
    return "".join(one for one in _LANGUAGE.sub("", text) if one.isprintable())


def _are_same_measures(one: StrictValue, other: StrictValue) -> bool:
    """True for lists of the same numbers, whole or not, and of whatever else stands between them."""
    if not isinstance(one, list) or not isinstance(other, list) or len(one) != len(other):
        return False
    return all(
        is_same_number(item, twin)
        or (type(item) is type(twin) and isinstance(item, str | Ref) and item == twin)
        for item, twin in zip(one, other, strict=True)
    )


def is_same_number(one: StrictValue, other: StrictValue, *, within: float = 0.0) -> bool:
    """True for the same coordinate, whole or not; elsewhere readers want an integer to be one.

    Some programs round what has more digits than any reader uses.
    """
    if isinstance(one, bool) or isinstance(other, bool):
        return False
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=_ROUNDED, abs_tol=within)
    return isinstance(one, int | float) and isinstance(other, int | float) and one == other


def _is_plain(entries: Dictionary) -> bool:
    """True for a dictionary that every reader reads as we do."""
    try:
        strictly(entries.buffer, entries.start - 2, 0, before=True)
    except Found:
        return False
    return True


def entries_of(value: StrictValue, number: int) -> dict[str, StrictValue]:
    """The value as a dictionary; raises `Found`."""
    if not isinstance(value, dict):
        raise Found("object_unreadable", number)
    return value
