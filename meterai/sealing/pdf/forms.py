"""Form of a document: its fields, its signatures, and the changes that the signatures forbid."""

from collections.abc import Iterator
from dataclasses import dataclass

from meterai.sealing.model import ChangesForbidden, DocumentBroken, SignatureRangeMalformed
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.syntax import DEPTH_MAX, Dictionary, Ref, Value

FIELDS_MAX = 20_000  # form fields that are read; a large tax form has two thousand
_LOOK_BYTES = 64  # cost of visiting a field, as bytes of parsing
RANGES_MAX = 32  # numbers in one byte range; nearly all ranges have four
LIMITS_MAX = 16  # restrictions (/Reference) of one signature; the standard has three kinds
_NO_CHANGES = 1  # DocMDP permission, ISO 32000-2, table 257
_SIGNATURE = "/Sig"


@dataclass(frozen=True, slots=True)
class FormField:
    """One node of the form: a field, or a widget that shows a field."""

    name: str  # partial name, without the names of the parents
    ref: Ref | None
    entries: Dictionary
    kind: str  # field type such as `/Sig` or `/Tx`; inherited if not stated


@dataclass(frozen=True, slots=True)
class SignatureField:
    """One form field that holds a signature."""

    name: str
    ref: Ref | None  # of the signature dictionary if it is an indirect object
    field: Dictionary
    signature: Dictionary


def form_of(document: Document) -> Dictionary | None:
    """Return the interactive form (/AcroForm); `None` if the document has no form."""
    return document.dictionary(document.root.get(b"/AcroForm"))


def fields(document: Document) -> Iterator[FormField]:
    """Yield every node of the form, parents before kids.  An indirect node is visited only once, which prevents loops."""
    tops = document.items(form_of(document), b"/Fields")
    waiting: list[tuple[Value, str, int]] = [(top, "", 0) for top in reversed(tops)]
    seen: set[Ref] = set()
    looked = 0
    while waiting:
        item, inherited, depth = waiting.pop()
        if isinstance(item, Ref):
            if item in seen:
                continue
            seen.add(item)
        looked += 1
        document.note_parsed(_LOOK_BYTES)
        if depth > DEPTH_MAX or looked > FIELDS_MAX:
            raise DocumentBroken("the form is too deep or has too many fields")
        node = document.dictionary(item)
        if node is None:
            continue
        stated = document.entry(node, b"/FT")
        kind = stated if isinstance(stated, str) else inherited
        ref = item if isinstance(item, Ref) else None
        yield FormField(document.text(node, b"/T"), ref, node, kind)
        if b"/Kids" in node:
            kids = document.items(node, b"/Kids")
            waiting.extend((kid, kind, depth + 1) for kid in reversed(kids))


def signature_fields(document: Document) -> list[SignatureField]:
    """Return every signature field of the form that holds a signature."""
    found: list[SignatureField] = []
    for field in fields(document):
        if field.kind != _SIGNATURE:
            continue
        value = field.entries.get(b"/V")
        signature = document.dictionary(value)
        if signature is not None:
            ref = value if isinstance(value, Ref) else None
            document.note_signature()
            found.append(SignatureField(field.name, ref, field.entries, signature))
    return found


def certification(document: Document) -> Dictionary | None:
    """Return the signature that certifies the document; `None` if there is no certification."""
    permissions = document.dictionary(document.root.get(b"/Perms"))
    return document.dictionary(permissions.get(b"/DocMDP")) if permissions is not None else None


def count_signatures(document: Document) -> int:
    """Return the number of signatures in the document.

    Refuses with `ChangesForbidden` if a signature forbids another seal.  A certification (DocMDP) or a field lock may forbid
    all changes; a lock on all fields except listed ones also locks the field of a new seal.  Refuses with
    `SignatureRangeMalformed` if a byte range is malformed.
    """
    found = signature_fields(document)
    signatures = [one.signature for one in found]
    certified = certification(document)
    if certified is not None and not any(_is_same(certified, one) for one in signatures):
        signatures.append(certified)
    for signature in signatures:
        _check_ranges(document, signature)
        limits = document.items(signature, b"/Reference")
        if len(limits) > LIMITS_MAX:
            raise DocumentBroken("a signature has too many references")
        for item in limits:
            _check_limit(document, document.dictionary(item))
    for one in found:
        lock = document.dictionary(one.field.get(b"/Lock"))
        if document.entry(lock, b"/P") == _NO_CHANGES:
            raise ChangesForbidden("a signature locks the document")
    return len(signatures)


def _check_ranges(document: Document, signature: Dictionary) -> None:
    """Refuse with `SignatureRangeMalformed` a byte range that is malformed or ends behind the file (ISO 32000-2, 12.8.1).

    A range that ends behind the file would cover a part of our update.  Our bytes would then decide whether the signature is
    valid.
    """
    numbers = document.items(signature, b"/ByteRange")
    end, is_first = 0, True
    if len(numbers) > RANGES_MAX or len(numbers) % 2 or not numbers:
        raise SignatureRangeMalformed(f"a byte range has {len(numbers)} numbers")
    for start, length in zip(numbers[::2], numbers[1::2], strict=True):
        if type(start) is not int or type(length) is not int or length < 0:
            raise SignatureRangeMalformed("a byte range does not consist of pieces")
        if start < end or (is_first and start):
            raise SignatureRangeMalformed("a byte range overlaps, or does not begin at 0")
        end, is_first = start + length, False
    if end > len(document.buffer):
        raise SignatureRangeMalformed(
            f"a byte range ends at {end} in a file of {len(document.buffer)} bytes"
        )


def _is_same(one: Dictionary, other: Dictionary) -> bool:
    return one.buffer is other.buffer and one.start == other.start


def _check_limit(document: Document, limit: Dictionary | None) -> None:
    method = document.entry(limit, b"/TransformMethod")
    parameters = document.dictionary(limit.get(b"/TransformParams")) if limit else None
    if method == "/DocMDP" and document.entry(parameters, b"/P") == _NO_CHANGES:
        raise ChangesForbidden("a signature in the document allows no changes")
    if method == "/FieldMDP" and (
        document.entry(parameters, b"/P") == _NO_CHANGES
        or document.entry(parameters, b"/Action") in ("/All", "/Exclude")
    ):
        raise ChangesForbidden("a signature in the document locks every field")


def top_field_names(document: Document) -> list[bytes]:
    """Return the names of the top-level fields of the form that are not signature fields."""
    names = []
    for item in document.items(form_of(document), b"/Fields")[:FIELDS_MAX]:
        top = document.dictionary(item)
        name = document.octets(top, b"/T")
        if name and document.entry(top, b"/FT") != _SIGNATURE:
            names.append(name)
    return names
