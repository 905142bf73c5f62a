"""Whether metadata in XML (XMP, ISO 16684-1) still say the same of the document.

A writing program states in them when it wrote and what it is called; what they say of the document
(title, author, conformance) may not change behind a seal.
"""

import io
import re
import zlib
from xml.etree import ElementTree as Tree

from meterai.sealing.checking.later_state import State
from meterai.sealing.checking.updates import Written
from meterai.sealing.pdf.strict import StrictValue

BYTES_MAX = 256 * 1024  # of a packet; with a picture of the page in it 40 KB
# Which files a file was made of (XMP media management): programs show nothing of it.
_MEDIA = "{http://ns.adobe.com/xap/1.0/mm/}"
_KEYS = {
    *("/Type", "/Subtype", "/Length", "/Filter", "/DecodeParms"),
    "/ICUID",  # of one program
}
# A stream that is not enciphered where others are, and how it says so (ISO 32000-2, 7.4.10).
_CRYPT, _IDENTITY = "/Crypt", {"/Type": "/CryptFilterDecodeParms", "/Name": "/Identity"}
_NAMES_METHODS = 4  # the version of `/Encrypt` from which on metadata may not be enciphered
_INSTRUCTION = re.compile(rb"<\?[^>]{0,200}\?>")
# Around a packet: its id, and white space for whoever writes it in place.
_PACKET = re.compile(
    rb"<\?xpacket (?:begin=['\"][^'\"<>]{0,3}['\"] id=['\"]\w{1,40}['\"]|end=['\"][rw]['\"])\s*\?>"
)
_WRITERS = {
    "{http://ns.adobe.com/xap/1.0/}ModifyDate",
    "{http://ns.adobe.com/xap/1.0/}MetadataDate",
    "{http://ns.adobe.com/pdf/1.3/}Producer",
}
# By these prefixes readers ask for what is said, whatever each stands for in the packet at hand.
_PREFIXES = {
    "dc": "http://purl.org/dc/elements/1.1/",
    "pdf": "http://ns.adobe.com/pdf/1.3/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "x": "adobe:ns:meta/",
    "xap": "http://ns.adobe.com/xap/1.0/",
    "xmp": "http://ns.adobe.com/xap/1.0/",
}
_RDF = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_XML = "{http://www.w3.org/XML/1998/namespace}"
_PARSE_TYPE, _DESCRIPTION = f"{_RDF}parseType", f"{_RDF}Description"
_META = "{adobe:ns:meta/}xmpmeta"


def is_same_but_for_its_writer(state: State, before: Written | None, after: Written) -> bool:
    """True if both say the same, but for what a writing program says of itself; nothing, where there
    was none before."""
    old = _said(state, before, is_later=False) if before is not None else []
    new = _said(state, after, is_later=True)
    return old is not None and old == new


def _said(state: State, written: Written, *, is_later: bool) -> list[tuple[object, ...]] | None:
    """The statements about the document, in an order of their own; `None` if it cannot be read."""
    packet = _packet(state, written, is_later=is_later)
    if packet is None:
        return None
    if packet.tag == _META:
        if len(packet) != 1:
            return None
        packet = packet[0]
    if packet.tag != f"{_RDF}RDF" or any(one.tag != _DESCRIPTION for one in packet):
        return None
    said: list[tuple[object, ...]] = []
    for description in packet:
        if (description.text or "").strip():
            return None
        said += [
            (name, value.strip())
            for name, value in description.attrib.items()
            if not _is_of_its_writer(name) and name not in (f"{_RDF}about", "about")
        ]
        said += [_statement(one) for one in description if not _is_of_its_writer(one.tag)]
    return sorted(said, key=repr)


def _is_of_its_writer(name: str) -> bool:
    return name in _WRITERS or name.startswith(_MEDIA)


def _statement(element: Tree.Element) -> tuple[object, ...]:
    """What one property says; a plain one is the same as an attribute.

    A structure may be written in three ways that mean the same (ISO 16684-1, section 7.9.2): as a description
    within the property, as a resource, and as attributes.
    """
    text = (element.text or "").strip()
    parts = [one for one in element if not _is_empty(one)]
    attributes = dict(element.attrib)
    is_resource = attributes.get(_PARSE_TYPE) == "Resource"
    if is_resource:
        del attributes[_PARSE_TYPE]
    elif len(parts) == 1 and parts[0].tag == _DESCRIPTION and not text:
        said = {**parts[0].attrib}
        parts = [one for one in parts[0] if not _is_empty(one)]
        attributes, is_resource = {**attributes, **said}, True
    fields = {
        name: one.strip() for name, one in attributes.items() if not name.startswith((_RDF, _XML))
    }
    if not text and not parts and not fields:
        return element.tag, ""  # the language of nothing is nothing
    if not attributes and not is_resource and not parts:
        return element.tag, text
    inside = [_statement(one) for one in parts]
    if is_resource or (fields and not text and not parts):
        inside = sorted([*fields.items(), *inside], key=repr)
        attributes = {name: one for name, one in attributes.items() if name not in fields}
    attributes.pop(f"{_RDF}about", None)
    return element.tag, text, tuple(sorted(attributes.items())), tuple(inside)


def _is_empty(element: Tree.Element) -> bool:
    """True for a description of nothing, which some programs write for an empty value."""
    is_bare = element.tag == _DESCRIPTION and not element.attrib and not len(element)
    return is_bare and not (element.text or "").strip()


def _packet(state: State, written: Written, *, is_later: bool) -> Tree.Element | None:
    entries = written.value
    if not isinstance(entries, dict):
        return None
    if entries.get("/Type") != "/Metadata" or entries.get("/Subtype") != "/XML":
        return None
    if is_later and entries.keys() - _KEYS:
        return None
    data = _unfiltered(state, written, entries)
    if data is None:
        return None
    # Entities are what makes small XML large, and what readers differ about; an instruction may hold
    # what another reader takes for something else.
    text = (_PACKET if is_later else _INSTRUCTION).sub(b"", data)
    if len(data) > BYTES_MAX or b"<!" in text or b"<?" in text:
        return None
    stripped = io.BytesIO(text.strip(b"\xef\xbb\xbf\0\t\n\r "))
    try:
        read = list(Tree.iterparse(stripped, ("start-ns", "start")))  # noqa: S314
    except Tree.ParseError:
        return None
    if is_later and not all(_is_usual(*found) for event, found in read if event == "start-ns"):
        return None
    packet: Tree.Element = next(found for event, found in read if event == "start")
    return packet


def _is_usual(prefix: str, namespace: str) -> bool:
    """True unless a prefix stands for another namespace than it does for readers that ask for `dc:title`, in
    capitals as well, or one of those is called by another."""
    known = _PREFIXES.get(prefix.casefold())
    if known is None:
        return namespace not in _PREFIXES.values()
    return namespace == known and prefix in _PREFIXES


def _unfiltered(state: State, written: Written, entries: dict[str, StrictValue]) -> bytes | None:
    """The data, deciphered where they are enciphered; `None` for other filters."""
    filters, parameters = _listed(entries.get("/Filter")), _listed(entries.get("/DecodeParms"))
    data = written.stream
    if filters[:1] == [_CRYPT]:
        if parameters[:1] != [_IDENTITY]:
            return None
        filters, parameters = filters[1:], parameters[1:]
    elif not _is_in_the_clear(state):
        data = state.stream(written)
    if data is None or filters not in ([], ["/FlateDecode"]) or parameters not in ([], [None]):
        return None
    if filters:
        try:
            return zlib.decompressobj().decompress(data, BYTES_MAX + 1)
        except zlib.error:
            return None
    return data


def _listed(value: StrictValue) -> list[StrictValue]:
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _is_in_the_clear(state: State) -> bool:
    """True for an enciphered document whose metadata are not (table 20)."""
    sealed = state.sealed
    encryption = sealed.dictionary(sealed.trailer.get(b"/Encrypt"))
    version = sealed.entry(encryption, b"/V")
    is_named = isinstance(version, int) and version >= _NAMES_METHODS
    return is_named and sealed.entry(encryption, b"/EncryptMetadata") is False
