"""What an update behind a seal may change: a short list; everything else is a `Found`.

| object | what may change | source |
|---|---|---|
| trailer | `/Size`, `/Prev`, the second identifier; what is said of the section itself | ISO 32000-2, 7.5.5 |
| catalog | `/AcroForm`, `/DSS`, `/Extensions`, `/Metadata`, each as below; `/Version` | 7.7.2, 12.8.4.3 |
| form | `/Fields` grows by signature fields; `/SigFlags`; where no page has another field also `/DA`, `/Q`, and `/DR` grows | 12.7.3, 12.8.2.2 |
| page | `/Annots` grows at its end by widgets of those fields; texts in `/PieceInfo`, which nothing draws, are encoded anew; boxes are rounded | 12.5.2, 12.8.2.2, 14.5 |
| field for a signature, empty so far | `/V`, and how its widget looks | 12.8.2.2 |
| information, metadata | what a writing program says of itself, and when it wrote | 14.3 |

Objects that were there are compared value by value with what they were; one that was written again as it was has
not changed.  An object that is two things at once, such as an array of annotations of two pages, may
not change at all.  What was added is `later_objects`.
"""

from collections.abc import Callable, Iterator

from meterai.sealing.checking.later_objects import CONCEALED, Added, LaterField
from meterai.sealing.checking.later_places import Widget, place
from meterai.sealing.checking.later_state import State, entries_of, is_same_number
from meterai.sealing.checking.metadata import is_same_but_for_its_writer
from meterai.sealing.checking.trailers import compare_trailers
from meterai.sealing.checking.updates import Found, Update, Written
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.forms import fields
from meterai.sealing.pdf.strict import StrictValue
from meterai.sealing.pdf.syntax import Ref

_NUMBERS = {"/PZ", "/UserUnit"}  # of a page, whole or not (table 31)
_BOXES = {"/MediaBox", "/CropBox", "/BleedBox", "/TrimBox", "/ArtBox"}
_BOX_ROUNDED = (
    5e-5  # units: one program writes four decimals; at 64 times the size it is 3 thousandths
)
_INHERITED = ("/MediaBox", "/CropBox", "/Rotate", "/Resources")  # ISO 32000-2, table 31
_WRITERS_KEYS = {"/ModDate", "/Producer"}  # what a writing program says about itself
_IN_CATALOG = {"/AcroForm", "/DSS", "/Extensions", "/Metadata", "/Version", "/Lang"}
_VERSIONS = {*(f"/1.{one}" for one in range(8)), "/2.0"}
# Evidence needs a later version, or an extension of one (EN 319 142-1, section 5.4.2), and programs note
# in the metadata that they wrote.
_BESIDE_EVIDENCE = {"catalog", "version", "metadata"}
_SIGNATURES_EXIST, _APPEND_ONLY = 1, 2  # /SigFlags, ISO 32000-2, table 225
# And of what kind the value of each is (ISO 32000-2, table 49).
_EXTENSION_KEYS: dict[str, type] = {
    "/Type": str,
    "/BaseVersion": str,
    "/ExtensionLevel": int,
    "/URL": bytes,
    "/ExtensionRevision": bytes,
}

_NOTHING = Written(Ref(0, 0), {}, None, None)  # the trailer, whose strings are not enciphered

_Entries = dict[str, StrictValue]
_Rule = Callable[[_Entries, _Entries, Written, Written], None]


class Comparison:
    """One update, compared with the document before it.  Raises `Found`."""

    def __init__(self, before: State, trailer: _Entries, update: Update) -> None:
        self._before = before
        self._trailer = trailer
        self._update = update
        self._added = Added(before, update)
        self._touched: set[str] = set()  # what has changed, in words of the table above
        self._signed: list[LaterField] = []

    def fields(self) -> list[LaterField]:
        """Compare; the signature fields that the update added or filled."""
        compare_trailers(self._before, self._trailer, self._update)
        root = self._trailer["/Root"]
        self._pair(root, root, "catalog", self._catalog, _NOTHING, _NOTHING)
        self._information()
        self._rest()
        self._nothing_stray()
        found = [*self._added.fields, *self._signed]
        if not any(field.signature is not None for field in found):
            self._is_evidence_alone(found)
        for field in self._added.fields:
            if field.signature is None:
                raise Found("field_added", key="/V")
        return found

    def _is_evidence_alone(self, found: list[LaterField]) -> None:
        """What nobody signed may be evidence, and what a writing program says of the file beside it."""
        added = set(self._added.claims.values())
        if found or not added & {"proof", "evidence"} or self._touched - _BESIDE_EVIDENCE:
            raise Found("not_signed")

    # -- what was there ----------------------------------------------------------------------

    def _pair(
        self,
        before: StrictValue,
        after: StrictValue,
        role: str,
        rule: _Rule,
        of: Written,
        to: Written,
    ) -> None:
        """Compare by a rule what two values lead to, which stand in `of` and in `to`."""
        if isinstance(before, Ref) and isinstance(after, Ref) and before != after:
            raise Found("object_replaced", before.number)
        if isinstance(after, Ref):
            to = self._written(after, before, role)
            after = to.value
        if isinstance(before, Ref):
            of = self._before_it(before)
            before = of.value
        old = entries_of({} if before is None else before, of.ref.number)
        new = entries_of({} if after is None else after, to.ref.number)
        if old is not new and not self._before.is_same(old, of, new, to):
            self._touched.add(role)
        rule(old, new, of, to)

    def _before_it(self, value: Ref) -> Written:
        found = self._before.object(value.number)
        if found is None or found.ref != value:
            raise Found("object_unreadable", value.number)
        return found

    def _written(self, value: Ref, was: StrictValue, role: str) -> Written:
        """What a reference leads to now, in a place that held `was`."""
        if self._added.is_added(value):
            return self._added.claim(value, role)
        found = self._added.now(value, was, role)
        if found is None or found.ref != value:
            raise Found("object_unreadable", value.number)
        return found

    def _only(self, old: _Entries, new: _Entries, of: Written, to: Written, keys: set[str]) -> None:
        """Nothing differs but what these keys lead to."""
        for key in old.keys() | new.keys():
            if key in keys:
                continue
            is_there = key in old and key in new
            if is_there and _is_same_measure(key, old[key], new[key]):
                continue
            moved = None if key == "/Resources" else self._moved
            if not is_there or not self._before.is_same(old[key], of, new[key], to, moved):
                raise Found("object_changed", to.ref.number or of.ref.number, key=key)

    def _moved(self, value: Ref) -> Written | None:
        return self._added.claim(value, "kept") if self._added.is_added(value) else None

    def _catalog(self, old: _Entries, new: _Entries, of: Written, to: Written) -> None:
        self._only(old, new, of, to, _IN_CATALOG)
        if not self._before.is_same_text(old.get("/Lang"), of, new.get("/Lang"), to):
            raise Found("object_changed", to.ref.number, key="/Lang")
        if old.get("/Version") != new.get("/Version"):
            self._touched.add("version")
            if new.get("/Version") not in _VERSIONS:
                raise Found("object_changed", to.ref.number, key="/Version")
        if "/AcroForm" in old and "/AcroForm" not in new:
            raise Found("object_changed", to.ref.number, key="/AcroForm")
        if new.get("/AcroForm") is not None:
            self._pair(old.get("/AcroForm"), new["/AcroForm"], "form", self._form, of, to)
        self._extensions(old.get("/Extensions"), new.get("/Extensions"), of, to)
        self._metadata(old.get("/Metadata"), new.get("/Metadata"))
        self._evidence(old.get("/DSS"), new.get("/DSS"), to)

    def _evidence(self, old: StrictValue, new: StrictValue, to: Written) -> None:
        if new is None:
            if old is not None:
                raise Found("evidence_removed", to.ref.number)
            return
        is_same = old == new and not (isinstance(new, Ref) and any(True for _ in self._rewritten()))
        if not is_same:
            self._added.evidence(old, new, to, to.ref.number)

    def _extensions(self, old: StrictValue, new: StrictValue, of: Written, to: Written) -> None:
        """Which additions to the standard a file uses (ISO 32000-2, section 7.12): some programs name theirs in
        place of another's, and what is no longer said is not said otherwise."""
        if self._before.is_same(old, of, new, to):
            return
        number = to.ref.number
        known = entries_of(old or {}, number)
        for name, one in entries_of(new or {}, number).items():
            if name in known and self._before.is_same(known[name], of, one, to):
                continue
            for item in one if isinstance(one, list) else [one]:
                said = {} if item == "/Extensions" else entries_of(item, number)
                if not all(isinstance(said[key], _EXTENSION_KEYS.get(key, ())) for key in said):
                    raise Found("object_changed", number, key="/Extensions")

    def _form(self, old: _Entries, new: _Entries, of: Written, to: Written) -> None:
        # How fields look where they state nothing is theirs: readers draw them anew when they like.
        looks = set() if self._before.has_other_fields else {"/DA", "/Q", "/DR"}
        self._only(old, new, of, to, {"/Fields", "/SigFlags"} | looks)
        flags, was = new.get("/SigFlags", 0), old.get("/SigFlags", 0)
        if not isinstance(flags, int) or not isinstance(was, int) or isinstance(flags, bool):
            raise Found("object_changed", to.ref.number, key="/SigFlags")
        if (flags | was) != flags or flags & ~(was | _SIGNATURES_EXIST | _APPEND_ONLY):
            raise Found("object_changed", to.ref.number, key="/SigFlags")
        if looks and (
            isinstance(new.get("/DR"), Ref)
            or not self._before.is_same(old.get("/DR"), of, new.get("/DR"), to)
        ):
            self._added.resources(old.get("/DR"), new.get("/DR"), of, to)
        grown = self._list(old.get("/Fields"), of, new.get("/Fields"), to, "fields")
        for item in grown:
            self._touched.add("form")
            self._added.field(item)

    def _list(
        self, old: StrictValue, of: Written, new: StrictValue, to: Written, role: str
    ) -> list[StrictValue]:
        """What a list has more at its end than it had."""
        if isinstance(old, Ref) and isinstance(new, Ref) and old != new:
            raise Found("object_replaced", old.number)
        if isinstance(new, Ref):
            to = self._written(new, old, role)
            new = to.value
        if isinstance(old, Ref):
            of = self._before_it(old)
            old = of.value
        before, after = _items(old), _items(new)
        for was, now in zip(before, after, strict=False):
            # Some reader draws the words of a field only where it is an object of its own.
            if isinstance(now, Ref) and isinstance(was, dict) and was.get("/Subtype") == "/Widget":
                raise Found("list_rearranged", to.ref.number)
        if not self._before.is_same(list(before), of, list(after[: len(before)]), to, self._moved):
            raise Found("list_rearranged", to.ref.number)
        return after[len(before) :]

    # -- what is said of the document --------------------------------------------------------

    def _information(self) -> None:
        old, new = self._trailer.get("/Info"), self._update.trailer.get("/Info")
        if new is None:
            return  # what is no longer said is not said otherwise
        self._pair(old, new, "information", self._said, _NOTHING, _NOTHING)

    def _said(self, old: _Entries, new: _Entries, of: Written, to: Written) -> None:
        for key in (old.keys() | new.keys()) - _WRITERS_KEYS:
            if not self._before.is_same_text(old.get(key), of, new.get(key), to):
                raise Found("object_changed", to.ref.number, key=key)
        self._touched.discard("information")
        for key in _WRITERS_KEYS & new.keys():
            is_kept = key in old and self._before.is_same(old[key], of, new[key], to)
            if not is_kept and not isinstance(new[key], bytes):
                raise Found("object_changed", to.ref.number, key="/Info")

    def _metadata(self, old: StrictValue, new: StrictValue) -> None:
        if old is None and new is None:
            return
        if not isinstance(new, Ref) or old not in (None, new):
            raise Found("metadata_changed")
        after = self._written(new, old, "metadata")
        before = self._before.object(new.number) if old is not None else None
        if before is after:
            return
        if not is_same_but_for_its_writer(self._before, before, after):
            raise Found("metadata_changed", new.number)
        self._touched.add("metadata")

    # -- pages, and fields that waited for a signature ---------------------------------------

    def _rewritten(self) -> Iterator[Written]:
        """What the update wrote of objects that were there."""
        information = self._trailer.get("/Info")
        for number, written in self._update.objects.items():
            if self._before.is_taken(number):
                # What is said of the file draws nothing, whoever reads it.
                is_said = self._added.roles.get(number) == "metadata" or (
                    isinstance(information, Ref) and information.number == number
                )
                if not is_said and self._before.is_for_new_readers(number):
                    raise Found("object_changed", number)
                yield written

    def _rest(self) -> None:
        """Whatever else was written again: pages, lists of annotations, fields; or as it was."""
        left = [one for one in self._rewritten() if one.ref.number not in self._added.roles]
        hung: dict[int, int] = {}
        pages = _Pages(self._before) if left else None
        # Pages before the lists of their annotations, which belong to them.
        left.sort(key=lambda one: pages is None or pages.of_page(one.ref.number) is None)
        for written in left:
            number = written.ref.number
            if number in self._added.roles:
                continue
            before = self._before.object(number)
            if before is None:
                raise Found("object_replaced", number)
            if self._before.is_unchanged(before, written):
                continue
            if before.ref != written.ref or written.stream is not None or pages is None:
                raise Found("object_changed", number)
            self._one_of_the_rest(before, written, pages, hung)
        for field in [*self._added.fields, *self._signed]:
            for widget in field.widgets:
                self._hang(widget, hung, pages)
        if hung:
            raise Found("annotation_added", next(iter(hung)), page=next(iter(hung.values())))

    def _one_of_the_rest(
        self, before: Written, after: Written, pages: "_Pages", hung: dict[int, int]
    ) -> None:
        number = after.ref.number
        page = pages.of_page(number) or pages.of_annotations(number)
        if page is None:
            self._signed.append(self._filled(before, after, pages))
            return
        if number in pages.twice:
            raise Found("object_shared", number, page=page)
        self._added.roles[number] = f"page {page}"
        self._touched.add("pages")
        old, new = before.value, after.value
        if isinstance(old, dict) and isinstance(new, dict):
            new = self._without_inherited(old, new, after)
            try:
                self._only(old, new, before, after, {"/Annots", "/PieceInfo"})
                self._data(old.get("/PieceInfo"), before, new.get("/PieceInfo"), after)
            except Found as found:
                raise Found("page_changed", number, page=page, key=found.key) from found
            old, new = old.get("/Annots"), new.get("/Annots")
            if isinstance(old, Ref) and old.number in pages.twice:
                raise Found("object_shared", old.number, page=page)
        try:
            grown = self._list(old, before, new, after, f"annotations {page}")
        except Found as found:
            raise Found("annotations_rearranged", number, page=page) from found
        for item in grown:
            if not isinstance(item, Ref) or item.number in hung or not self._added.is_added(item):
                raise Found("annotation_added", number, page=page)
            hung[item.number] = page

    def _data(self, old: StrictValue, before: Written, new: StrictValue, after: Written) -> None:
        if not self._before.is_same_data(old, before, new, after):
            raise Found("object_changed", after.ref.number, key="/PieceInfo")

    def _without_inherited(self, old: _Entries, new: _Entries, to: Written) -> _Entries:
        """A page as it is, but for what some programs copy into it from the tree above."""
        added = {key for key in _INHERITED if key in new and key not in old}
        above = self._before.inherited(to.ref.number) if added else {}
        copied = {
            key for key in added & above.keys() if self._before.is_same(*above[key], new[key], to)
        }
        return {key: value for key, value in new.items() if key not in copied}

    def _hang(self, widget: Widget, hung: dict[int, int], pages: "_Pages | None") -> None:
        """A widget is on the page it names, or names none; one that hangs nowhere is not seen."""
        if widget.page:
            return
        widget.page = hung.pop(widget.number, 0)
        if widget.page and widget.named_page is not None:
            assert pages is not None
            if pages.of_page(widget.named_page.number) != widget.page:
                raise Found("annotation_added", widget.number, page=widget.page, key="/P")

    def _filled(self, before: Written, after: Written, pages: "_Pages") -> LaterField:
        """A signature field that was there and empty, with its signature."""
        number, old, new = after.ref.number, before.value, after.value
        if number not in _empty_fields(self._before.sealed):
            raise Found("object_changed", number)
        if not isinstance(old, dict) or not isinstance(new, dict) or old.get("/V") is not None:
            raise Found("object_changed", number)
        # What is called by another kind is drawn as that, and not where its picture is; what is called by none,
        # as some readers like.
        is_widget = new.get("/Subtype") == "/Widget"
        if "/Subtype" in new and not is_widget:
            raise Found("object_changed", number, key="/Subtype")
        shown = {"/AP", "/F"} if is_widget else set()
        self._only(old, new, before, after, {"/V", "/M"} | shown)
        self._added.roles[number] = "field"
        self._touched.add("field")
        is_widget_alone = "/Parent" in new and "/V" not in new
        signature = None if is_widget_alone else self._added.signature(new.get("/V"))
        widgets = []
        if is_widget:
            changed = [
                key
                for key in ("/F", "/AP")
                if not self._before.is_same(old.get(key), before, new.get(key), after)
            ]
            seen = {key: new[key] for key in changed if key in new}
            flags = new.get("/F", 0)
            if "/AP" in seen and (not isinstance(flags, int) or flags & CONCEALED):
                seen["/F"] = flags  # a new picture may not be out of sight, whoever put it there
            self._added.look(seen | {"/Rect": new.get("/Rect")}, after)
            widget = place(new, number)
            if number in pages.hung_twice:
                raise Found("object_shared", number)
            widget.page = pages.of_widget(number)
            widgets.append(widget)
        name = new.get("/T", b"")
        plain = self._before.plain(after, name) if isinstance(name, bytes) else b""
        return LaterField(plain, signature, tuple(widgets))

    # -- what was added ----------------------------------------------------------------------

    def _nothing_stray(self) -> None:
        """Everything added has been claimed; nothing sealed has been waiting for it."""
        added = {one for one in self._update.objects if not self._before.is_taken(one)}
        for number in sorted(added - self._added.claims.keys()):
            if not self._added.is_left_over(number):
                raise Found("object_stray", number)
        for number in self._update.structure:
            if self._before.is_taken(number):
                raise Found("object_replaced", number)
        self._before.refuse_if_waited_for(added | self._update.structure)


def _is_same_measure(key: str, old: StrictValue, new: StrictValue) -> bool:
    """True for a number of a page that is as it was, or a box of it but for rounding."""
    if key in _NUMBERS:
        return is_same_number(old, new)
    if key not in _BOXES or not isinstance(old, list) or not isinstance(new, list):
        return False
    return len(old) == len(new) == 4 and all(
        is_same_number(one, other, within=_BOX_ROUNDED) for one, other in zip(old, new, strict=True)
    )


def _items(value: StrictValue) -> list[StrictValue]:
    if value is not None and not isinstance(value, list):
        raise Found("list_rearranged")
    return value or []


class _Pages:
    """Which page an object is, or holds the annotations of."""

    def __init__(self, before: State) -> None:
        self._pages: dict[int, int] = {}
        self._lists: dict[int, int] = {}
        self._hung: dict[int, int] = {}
        self.twice: set[int] = set()
        self.hung_twice: set[int] = set()
        for page in before.pages:
            self._note(self._pages, page.ref.number, page.number)
            annotations = before.annotations(page)
            if isinstance(annotations, Ref):
                self._note(self._lists, annotations.number, page.number)
            for item in before.sealed.items(page.entries, b"/Annots"):
                if isinstance(item, Ref):
                    if item.number in self._hung:
                        self.hung_twice.add(item.number)
                    self._hung[item.number] = page.number

    def _note(self, known: dict[int, int], number: int, page: int) -> None:
        if number in self._pages or number in self._lists:
            self.twice.add(number)
        known.setdefault(number, page)

    def of_page(self, number: int) -> int | None:
        """The page that this object is."""
        return self._pages.get(number)

    def of_annotations(self, number: int) -> int | None:
        """The page whose annotations this array lists."""
        return self._lists.get(number)

    def of_widget(self, number: int) -> int:
        """The page on which an annotation that was sealed hangs; 0 for none."""
        return self._hung.get(number, 0)


def _empty_fields(document: Document) -> set[int]:
    """The signature fields that wait for a signature."""
    return {
        field.ref.number
        for field in fields(document)
        if field.kind == "/Sig" and field.ref is not None and b"/V" not in field.entries
    }
