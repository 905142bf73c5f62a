"""The document as it stands before an update: what was sealed, and earlier updates over it."""

from collections.abc import Callable
from functools import cached_property

from meterai.sealing.checking.references import references_of
from meterai.sealing.checking.updates import Found, Update, Written, sealed_object
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.pages import Page, PageTree
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.pdf.syntax import DEPTH_MAX, Ref, Value


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

    def above(self, number: int) -> dict[str, StrictValue]:
        """What a page inherits from the nodes above it (ISO 32000-2, section 7.7.3.4)."""
        found: dict[str, StrictValue] = {}
        written = self.object(number)
        for _ in range(DEPTH_MAX):
            entries = written.value if written is not None else None
            parent = entries.get("/Parent") if isinstance(entries, dict) else None
            written = self.object(parent.number) if isinstance(parent, Ref) else None
            if written is None or not isinstance(written.value, dict):
                break
            found = {**written.value, **found}
        return found

    def refuse_if_waited_for(self, added: set[int]) -> None:
        """Raise `Found` for a number that something sealed refers to although it was no object.

        Such a reference is null (ISO 32000-2, section 7.3.10) until a later update makes it an
        object, which changes what was sealed ("shadow attack", Mainka et al., 2021).
        """
        for number in added & self._waited_for:
            raise Found("object_waited_for", number)

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

        `moved` gives the new object that a reference leads to: some programs make an object of what
        stood in another.
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
        if isinstance(other, Ref) and not isinstance(one, Ref) and moved is not None:
            of_other = moved(other)
            if of_other is None or of_other.stream is not None:
                return False
            other = of_other.value
        if isinstance(one, dict) and isinstance(other, dict):
            return all(
                self._is_same(one.get(key), of, other.get(key), of_other, moved, depth + 1)
                for key in one.keys() | other.keys()
            )
        if isinstance(one, list) and isinstance(other, list):
            return len(one) == len(other) and all(
                self._is_same(item, of, twin, of_other, moved, depth + 1)
                for item, twin in zip(one, other, strict=True)
            )
        if isinstance(one, bytes) and isinstance(other, bytes):
            return self.plain(of, one) == self.plain(of_other, other)
        if isinstance(one, int | float) and isinstance(other, int | float):
            return isinstance(one, bool) == isinstance(other, bool) and one == other
        return type(one) is type(other) and one == other

    def is_same_text(
        self, one: StrictValue, of: Written | None, other: StrictValue, of_other: Written | None
    ) -> bool:
        """True if two text strings say the same, however they are encoded (7.9.2.2)."""
        if not isinstance(one, bytes) or not isinstance(other, bytes):
            return self.is_same(one, of, other, of_other)
        return text_of(self.plain(of, one)) == text_of(self.plain(of_other, other))

    def is_unchanged(self, before: Written, after: Written) -> bool:
        """True if an object was written again as it was."""
        if self.stream(before) != self.stream(after) or before.ref != after.ref:
            return False
        return self.is_same(_without_length(before), before, _without_length(after), after)


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


def text_of(octets: bytes) -> str:
    """A text string as text (ISO 32000-2, section 7.9.2.2)."""
    if octets.startswith(b"\xfe\xff"):
        return octets[2:].decode("utf-16-be", "backslashreplace")
    if octets.startswith(b"\xef\xbb\xbf"):
        return octets[3:].decode("utf-8", "backslashreplace")
    return octets.decode("latin-1").translate(_DOC_ENCODING)


def _without_length(written: Written) -> StrictValue:
    """The value; of a stream without its length, which may have been written elsewhere."""
    if written.stream is None or not isinstance(written.value, dict):
        return written.value
    return {key: value for key, value in written.value.items() if key != "/Length"}


def entries_of(value: StrictValue, number: int) -> dict[str, StrictValue]:
    """The value as a dictionary; raises `Found`."""
    if not isinstance(value, dict):
        raise Found("object_unreadable", number)
    return value
