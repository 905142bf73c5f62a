"""What a signing program may add behind a seal: fields with widgets and pictures, signatures,
evidence.

Each kind of object has a list of the keys it may have, and everything not on it is a `Found`.

| object | keys | source |
|---|---|---|
| field | `FIELD_KEYS`; `/FT` is `/Sig`; of the form's uppermost fields | ISO 32000-2, 12.7.5.5 |
| widget | `WIDGET_KEYS`; on one page, which it names; no flags by which it would not stay in place, but that it may stay upright (`looks`); hidden only without a picture, or with one of nothing | 12.5.6.19 |
| picture | a form XObject, `PICTURE_KEYS`, with a box; what it draws with was added with it; some to which nothing refers | 8.10 |
| signature | `SIGNATURE_KEYS` | 12.8.1 |
| evidence | `/DSS`, `/VRI`, and streams of data that nothing draws | 12.8.4.3, EN 319 142-1, 5.4.2 |
"""

import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from meterai.sealing.checking.later_keys import (
    EVIDENCE_KEYS,
    EVIDENCE_LISTS,
    FIELD_KEYS,
    PICTURE_KEYS,
    PROOF_KEYS,
    SIGNATURE_KEYS,
    VRI_KEYS,
    VRI_LISTS,
    WIDGET_KEYS,
)
from meterai.sealing.checking.later_places import (
    SCALE_MAX,
    SCALE_MIN,
    UPRIGHT,
    Widget,
    is_coordinate,
    keeps_shape,
    place,
    rectangle,
)
from meterai.sealing.checking.later_state import State, entries_of, readings
from meterai.sealing.checking.updates import Found, Update, Written
from meterai.sealing.pdf.deflation import is_read_alike
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.pdf.syntax import Ref

# What makes a viewer do something, show or hide something, or look elsewhere for what to draw.
_NEVER_INSIDE = {
    *("/A", "/AA", "/OC", "/OCGs", "/JS", "/URI", "/Next", "/OpenAction", "/Dest", "/Popup"),
    *("/PA", "/Ref", "/OPI", "/PS", "/Alternates", "/FFilter", "/EF", "/RF", "/Properties"),
    *("/Annots", "/Kids", "/Parent", "/StructParent", "/StructParents", "/F"),
}
# Whose keys are names that a program made up (ISO 32000-2, table 34), and mean nothing.
_RESOURCES = {"/Font", "/XObject", "/ColorSpace", "/Pattern", "/Shading", "/ExtGState"}
# What is below these is drawn with; below others, such as a lock, nothing draws, and there are no streams.
_DRAWN_WITH = {"/Resources", "/Group", "/DR"}
# Nobody looks at these values: each is one that holds no others, in which something might be hidden.
_SINGLE = {
    *("/Type", "/Subtype", "/FT", "/TU", "/TM", "/Ff", "/DA", "/Q", "/NM", "/M", "/H", "/Name"),
    *("/FormType", "/Reason", "/Location", "/ContactInfo", "/Contact", "/SubFilter", "/R"),
    *("/Prop_AuthTime", "/Prop_AuthType"),
}
_INTEGER_MAX = 0x7FFF_FFFF  # that every reader takes as it is
_FILTERS = {
    *("/FlateDecode", "/DCTDecode", "/ASCII85Decode", "/ASCIIHexDecode", "/RunLengthDecode"),
    *("/CCITTFaxDecode", "/LZWDecode", "/JPXDecode"),
}
# Invisible, hidden, print, read-only, locked, locked contents (ISO 32000-2, table 167); not those
# by which it does not grow with the page, or shows when the pointer is over it.
_FLAGS = 1 | 2 | 4 | 64 | 128 | 512
_PROCEDURE_SETS = {"/PDF", "/Text", "/ImageB", "/ImageC", "/ImageI"}
_HIDDEN = 2
CONCEALED = _HIDDEN | 32  # or not on the screen: an action that was prepared may show what is so
_BORDER_MAX = 2  # units; of a border beside a picture
_QUARTERS = {0, 90, 180, 270}
_BLANK_BYTES_MAX = 1024  # of a picture of nothing
# Of one stream that a later picture is made of; looking through it takes 0.7 s of the 2 s of a comparison.
DEFLATED_BYTES_MAX = 512 * 1024


@dataclass(frozen=True, slots=True)
class LaterField:
    """One signature field with the signature that an update put into it (`None`: still empty)."""

    name: bytes
    signature: Written | None
    widgets: tuple[Widget, ...]


class Added:
    """The objects that an update added, each claimed by what it is.  Raises `Found`."""

    def __init__(self, before: State, update: Update) -> None:
        self._before = before
        self._update = update
        self.claims: dict[int, str] = {}
        self.roles: dict[int, str] = {}  # of objects that were there before
        self.fields: list[LaterField] = []

    def is_added(self, value: StrictValue) -> bool:
        """True for a reference to an object that the update added."""
        return (
            isinstance(value, Ref)
            and value.number in self._update.objects
            and not self._before.is_taken(value.number)
        )

    def claim(self, value: StrictValue, what: str, *, again: bool = False) -> Written:
        """The added object that a reference leads to.  One object is one thing; `again` if it may be
        that for several."""
        if not isinstance(value, Ref) or not self.is_added(value):
            raise Found("object_borrowed", value.number if isinstance(value, Ref) else 0)
        known = self.claims.setdefault(value.number, "")
        if known and not (again and known == what):
            raise Found("object_shared", value.number)
        self.claims[value.number] = what
        written = self._update.objects[value.number]
        if written.ref != value or value.generation:
            raise Found("object_unreadable", value.number)
        return written

    # -- fields and widgets ------------------------------------------------------------------

    def field(self, value: StrictValue) -> None:
        """A field that the form got."""
        written = self.claim(value, "field")
        number = written.ref.number
        entries = self._entries(written, FIELD_KEYS | WIDGET_KEYS)
        if entries.get("/FT") != "/Sig" or "/Parent" in entries:
            raise Found("field_added", number)
        name = entries.get("/T")
        if not isinstance(name, bytes):
            raise Found("field_added", number, key="/T")
        if self._before.names_of_others.intersection(readings(self._before.plain(written, name))):
            raise Found("field_added", number, key="/T")
        for key in ("/Lock", "/SV", "/DR"):
            self.inside(entries.get(key), written, key)
        widgets = []
        if "/Subtype" in entries:
            widgets.append(self.widget(written))
        kids = entries.get("/Kids", [])
        if not isinstance(kids, list) or (kids and widgets):
            raise Found("field_added", number, key="/Kids")
        for kid in kids:
            shown = self.claim(kid, "widget")
            parent = self._entries(shown, WIDGET_KEYS).get("/Parent")
            if parent != written.ref:
                raise Found("field_added", shown.ref.number, key="/Parent")
            widgets.append(self.widget(shown))
        signature = self.signature(entries["/V"]) if entries.get("/V") is not None else None
        plain = self._before.plain(written, name)
        self.fields.append(LaterField(plain, signature, tuple(widgets)))

    def widget(self, written: Written) -> Widget:
        """What shows a field."""
        number, entries = written.ref.number, entries_of(written.value, written.ref.number)
        if entries.get("/Subtype") != "/Widget" or entries.get("/Type", "/Annot") != "/Annot":
            raise Found("annotation_added", number)
        self.look(entries, written)
        return place(entries, number)

    def look(self, entries: dict[str, StrictValue], written: Written) -> None:
        """How a widget is shown: its flags, its picture, and no border that a viewer would draw."""
        number = written.ref.number
        flags = entries.get("/F", 0)
        if not isinstance(flags, int) or isinstance(flags, bool) or flags & ~(_FLAGS | UPRIGHT):
            raise Found("annotation_added", number, key="/F")
        border, style, colours = (entries.get(key) for key in ("/Border", "/BS", "/MK"))
        if isinstance(border, list) and not _is_narrow(border[2:3], has_picture="/AP" in entries):
            raise Found("annotation_added", number, key="/Border")
        if style is not None and entries_of(style, number).get("/W", 1) != 0:
            raise Found("annotation_added", number, key="/BS")
        turned = entries_of(colours, number) if colours is not None else {}
        if turned.keys() - {"/R"} or turned.get("/R", 0) not in _QUARTERS:
            raise Found("annotation_added", number, key="/MK")
        # Which of several pictures is shown (12.5.5); there is one, and one program names its key here.
        if entries.get("/AS", "/N") != "/N":
            raise Found("annotation_added", number, key="/AS")
        pictures = entries.get("/AP")
        if isinstance(pictures, Ref):
            pictures = self.claim(pictures, "pictures").value
        shown = entries_of({} if pictures is None else pictures, number)
        if shown.keys() - {"/N"}:
            raise Found("annotation_added", number, key="/AP")
        if shown.get("/N") is not None:
            left, low, right, top = rectangle(entries.get("/Rect", [0, 0, 0, 0]), number)
            self._picture(shown["/N"], (right - left, top - low))
            if flags & _HIDDEN and not self._is_blank(shown["/N"]):
                raise Found("annotation_added", number, key="/F")

    def _picture(self, value: StrictValue, room: tuple[float, float]) -> None:
        written = self.claim(value, "picture", again=True)
        number, entries = written.ref.number, self._entries(written, PICTURE_KEYS)
        # Readers differ in what they draw of a picture without a box, or without room: then there may
        # be nothing in it.
        if min(room) <= 0:
            if not self._is_blank(value):
                raise Found("picture_unreadable", number)
        else:
            if written.stream is None or entries.get("/Subtype") != "/Form":
                raise Found("picture_unreadable", number)
            left, low, right, top = rectangle(entries.get("/BBox"), number)
            for side, shown in zip((right - left, top - low), room, strict=True):
                if side <= 0 or not SCALE_MIN <= shown / side <= SCALE_MAX:
                    raise Found("picture_unreadable", number, key="/BBox")
        if not keeps_shape(entries.get("/Matrix")):
            raise Found("picture_unreadable", number, key="/Matrix")
        if written.stream:  # nothing draws with nothing
            self._is_inflated_alike(written)
            self.inside(entries.get("/Resources"), written, "/Resources")
        self.inside(entries.get("/Group"), written, "/Group")
        self._filters(written)

    def _is_blank(self, picture: StrictValue) -> bool:
        """True for a picture of nothing, which nobody need see to judge it."""
        written = self.claim(picture, "picture", again=True)
        entries, data = entries_of(written.value, written.ref.number), self._before.stream(written)
        if not data:
            return True
        if entries.get("/Filter") not in (None, "/FlateDecode") or "/DecodeParms" in entries:
            return False
        if entries.get("/Filter") is not None:
            engine = zlib.decompressobj()
            try:
                data = engine.decompress(data, _BLANK_BYTES_MAX)
            except zlib.error:
                return False
            if not engine.eof or engine.unused_data.strip():
                return False
        return not data.strip()

    def is_left_over(self, number: int) -> bool:
        """True for a picture to which nothing refers: one program leaves those it drew first."""
        written = self._update.objects[number]
        entries = written.value if isinstance(written.value, dict) else {}
        if written.stream is None or entries.get("/Subtype") != "/Form":
            return False
        if entries.keys() - PICTURE_KEYS:
            return False
        if written.stream:
            self.inside(entries.get("/Resources"), written, "/Resources")
        return True

    def resources(self, before: StrictValue, after: StrictValue, of: Written, to: Written) -> None:
        """What pictures of fields may draw with (/DR): it may grow by names that it did not have."""
        old, of = self._resolved_in(before, of)
        new, to = self._opened_in(after, before, "resources", to)
        known = old if isinstance(old, dict) else {}
        for kind, names in entries_of(new or {}, to.ref.number).items():
            held, had_in = self._resolved_in(known.get(kind), of)
            listed, listed_in = self._opened_in(names, known.get(kind), "resources", to)
            # It says nothing since PDF 1.4, and one program adds it (ISO 32000-2, section 14.2).
            if kind == "/ProcSet" and held is None and _is_of(listed, _PROCEDURE_SETS):
                continue
            if not isinstance(listed, dict):
                if not self._before.is_same(held, had_in, listed, listed_in):
                    raise Found("object_changed", to.ref.number, key=kind)
                continue
            had = held if isinstance(held, dict) else {}
            if had.keys() - listed.keys():
                raise Found("object_changed", to.ref.number, key=kind)
            for name, one in listed.items():
                if name not in had:
                    self.inside(one, listed_in, "/DR")
                elif not self._before.is_same(had[name], had_in, one, listed_in):
                    raise Found("object_changed", to.ref.number, key=name)
        if known.keys() - entries_of(new or {}, to.ref.number).keys():
            raise Found("object_changed", to.ref.number, key="/DR")

    # -- signatures and evidence -------------------------------------------------------------

    def signature(self, value: StrictValue) -> Written:
        """The value of a field."""
        written = self.claim(value, "signature")
        number, entries = written.ref.number, self._entries(written, SIGNATURE_KEYS)
        if written.stream is not None or written.owner is None:
            raise Found("signature_invalid", number)
        for key in ("/Reference", "/Prop_Build"):
            self.inside(entries.get(key), written, key)
        for item in _items(self._held(entries.get("/Reference"))):
            reference = entries_of(self._held(item), number)
            if self._held(reference.get("/TransformMethod")) != "/FieldMDP":
                raise Found("certified_anew", number)
        return written

    def evidence(self, before: StrictValue, after: StrictValue, of: Written, number: int) -> None:
        """The evidence (DSS) of a document; what there was stays."""
        old = self._resolved(before)
        new = entries_of(self._opened(after, before, "evidence"), number)
        if new.keys() - EVIDENCE_KEYS or not isinstance(new.get("/Type", ""), str):
            raise Found("evidence_malformed", number)
        known = old if isinstance(old, dict) else {}
        for key in EVIDENCE_LISTS:
            self._proofs(known.get(key), new.get(key), number)
        certificates = self._opened(new.get("/VRI"), known.get("/VRI"), "evidence")
        held = self._resolved(known.get("/VRI"))
        for name, one in entries_of(certificates or {}, number).items():
            before_it = held.get(name) if isinstance(held, dict) else None
            was = self._resolved(before_it)
            listed = entries_of(self._opened(one, before_it, "evidence"), number)
            is_said = isinstance(listed.get("/Type", ""), str)
            is_said &= isinstance(listed.get("/TU", b""), bytes)
            if listed.keys() - VRI_KEYS or not is_said:
                raise Found("evidence_malformed", number, key=name)
            for key, whole in VRI_LISTS.items():
                had = was.get(key) if isinstance(was, dict) else None
                self._proofs(had, listed.get(key), number, kept=self._listed(known, new, whole))
            if listed.get("/TS") is not None:
                self._proof(listed["/TS"])

    def _listed(
        self, old: dict[str, StrictValue], new: dict[str, StrictValue], key: str
    ) -> list[StrictValue]:
        return _items(self._opened(new.get(key), old.get(key), "evidence"))

    def _proofs(
        self,
        before: StrictValue,
        after: StrictValue,
        number: int,
        kept: Sequence[StrictValue] = (),
    ) -> None:
        """A list of evidence: what there was stays in it, or in `kept`.

        What is listed for one signature (VRI) only points into the lists for all of them (EN 319 142-1,
        section 5.4.2.3), and programs list it anew when they renew the evidence.
        """
        old = _items(self._resolved(before))
        new = _items(self._opened(after, before, "evidence"))
        still = [*new, *kept]
        if any(item not in still for item in old):
            raise Found("evidence_removed", number)
        for item in new:
            if item not in old:
                self._proof(item)

    def _proof(self, value: StrictValue) -> None:
        """A certificate or an answer about one: a stream, new or one that is evidence already."""
        if isinstance(value, Ref) and not self.is_added(value):
            written = self._before.object(value.number)
            if written is None or written.stream is None:
                raise Found("object_borrowed", value.number)
            return
        written = self.claim(value, "proof", again=True)
        if written.stream is None:
            raise Found("evidence_malformed", written.ref.number)
        self._entries(written, PROOF_KEYS)
        self._filters(written)

    # -- what is inside ----------------------------------------------------------------------

    def _resolved(self, value: StrictValue) -> StrictValue:
        """A value before the update."""
        if not isinstance(value, Ref):
            return value
        written = self._before.object(value.number)
        return written.value if written is not None else None

    def _resolved_in(self, value: StrictValue, of: Written) -> tuple[StrictValue, Written]:
        """A value before the update, and the object that holds it: by its number strings are deciphered."""
        written = self._before.object(value.number) if isinstance(value, Ref) else of
        return self._resolved(value), written or of

    def _opened(self, value: StrictValue, was: StrictValue, what: str) -> StrictValue:
        """A value after the update, which was another or the same before; of an added object, which is
        claimed, or of one that stayed."""
        return self._written(value, was, what).value if isinstance(value, Ref) else value

    def _opened_in(
        self, value: StrictValue, was: StrictValue, what: str, to: Written
    ) -> tuple[StrictValue, Written]:
        """The same, and the object that holds it."""
        if not isinstance(value, Ref):
            return value, to
        written = self._written(value, was, what)
        return written.value, written

    def _written(self, value: Ref, was: StrictValue, what: str) -> Written:
        if self.is_added(value):
            return self.claim(value, what, again=True)
        written = self.now(value, was, what)
        if written is None:
            raise Found("object_borrowed", value.number)
        return written

    def now(self, value: Ref, was: StrictValue, what: str) -> Written | None:
        """An object that was there before, as it is after the update; it may be one thing only.

        Only where the same place led to it before: else a page's content would be written anew as a list of
        certificates.
        """
        if value != was:
            raise Found("object_borrowed", value.number)
        if self.roles.setdefault(value.number, what) != what:
            raise Found("object_shared", value.number)
        if value.number in self._update.objects:
            if what in ("catalog", "information"):
                self._before.refuse_unless_of_file(value.number)
            else:
                self._before.refuse_unless_alone(value.number)
        return self._update.objects.get(value.number) or self._before.object(value.number)

    def _entries(self, written: Written, keys: set[str]) -> dict[str, StrictValue]:
        entries = entries_of(written.value, written.ref.number)
        for key in entries:
            if key not in keys or (key in _SINGLE and not _is_single(entries[key])):
                raise Found("key_unexpected", written.ref.number, key=key)
        return entries

    def inside(self, value: StrictValue, of: Written, key: str) -> None:
        """Everything below a key: added with it, and nothing that acts."""
        is_drawn = key in _DRAWN_WITH
        what = "inside" if is_drawn else "beside"
        waiting: list[tuple[StrictValue, Written, bool]] = [(value, of, False)]
        while waiting:
            item, holder, is_of_names = waiting.pop()
            if isinstance(item, Ref):
                if self.claims.get(item.number) == what:
                    continue
                inner = self.claim(item, what, again=True)
                # Some readers take the objects of any stream that calls itself one of objects.
                if inner.stream is not None and not is_drawn:
                    raise Found("key_unexpected", inner.ref.number, key=key)
                self._filters(inner)
                self._is_inflated_alike(inner)
                waiting.append((inner.value, inner, is_of_names))
            elif isinstance(item, list):
                _check_numbers(item, holder, is_place=is_drawn)
                waiting.extend((one, holder, False) for one in item)
            elif isinstance(item, dict):
                _check_numbers(item.values(), holder, is_place=False)
                for name, one in item.items():
                    if name in _NEVER_INSIDE and not is_of_names:
                        raise Found("key_unexpected", holder.ref.number, key=name)
                    # What a field lock or a reference is about is there already.
                    if not (name == "/Data" and key == "/Reference"):
                        waiting.append((one, holder, name in _RESOURCES and not is_of_names))

    def _held(self, value: StrictValue) -> StrictValue:
        """What a value of an added object leads to, where that was added too."""
        if isinstance(value, Ref) and self.is_added(value):
            return self._update.objects[value.number].value
        return value

    def _is_inflated_alike(self, written: Written) -> None:
        """What a picture is made of is the same for all who inflate it."""
        names = _items(entries_of(written.value, written.ref.number).get("/Filter"), alone=True)
        data = self._before.stream(written)
        if data is None or "/FlateDecode" not in names:
            return
        is_first_alone = names.index("/FlateDecode") == 0 and names.count("/FlateDecode") == 1
        if not is_first_alone or len(data) > DEFLATED_BYTES_MAX or not is_read_alike(data):
            raise Found("picture_unreadable", written.ref.number, key="/Filter")

    def _filters(self, written: Written) -> None:
        if written.stream is None:
            return
        entries = entries_of(written.value, written.ref.number)
        for name in _items(entries.get("/Filter"), alone=True):
            if name not in _FILTERS:
                raise Found("picture_unreadable", written.ref.number, key="/Filter")


def _is_single(value: StrictValue) -> bool:
    return not isinstance(value, dict | list | Ref)


def _check_numbers(values: Iterable[StrictValue], of: Written, *, is_place: bool) -> None:
    """Raise `Found` for a number that some reader, which keeps 32 bits of it, takes for another; `is_place`: it may
    be a coordinate."""
    for one in values:
        if isinstance(one, float) or (is_place and isinstance(one, int)):
            is_alike = is_coordinate(one)
        else:
            is_alike = not isinstance(one, int) or abs(one) <= _INTEGER_MAX
        if not is_alike:
            raise Found("picture_unreadable", of.ref.number)


def _is_narrow(widths: list[StrictValue], *, has_picture: bool) -> bool:
    """True for no border; beside a picture readers draw none (12.5.4), and it would be within its box."""
    return all(
        not one or (has_picture and isinstance(one, int | float) and 0 < one <= _BORDER_MAX)
        for one in widths
    )


def _is_of(value: StrictValue, names: set[str]) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and one in names for one in value)


def _items(value: StrictValue, *, alone: bool = False) -> list[StrictValue]:
    """The items of a list; `alone`: a single value counts as a list of one."""
    if isinstance(value, list):
        return value
    return [value] if alone and value is not None else []
