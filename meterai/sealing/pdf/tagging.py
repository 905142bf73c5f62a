"""Tagged documents: adds an element for each stamp to the structure tree, which screen readers use.

See ISO 32000-2, section 14.7, and PDF/UA-1, section 7.18.  A structure tree of an unexpected form is left unchanged. The
alternative text of a stamp is then in its annotation only, where every reader finds it.
"""

from typing import NamedTuple

from meterai.sealing.model import DocumentBroken
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.serialization import text_octets
from meterai.sealing.pdf.syntax import DEPTH_MAX, Dictionary, Ref
from meterai.sealing.pdf.update import PdfUpdate, Splice

ROWS_BYTES_MAX = (
    1024 * 1024
)  # of the root or of its number tree, which are written anew; a book has 700 KB
_LANGUAGE = b"id-ID"


class Tagged(NamedTuple):
    """An annotation (object number and page) that gets an element in the structure tree, and its alternative text."""

    annotation: int
    page: Ref
    kind: bytes  # `/Form` for the widget of a field, `/Annot` for another annotation
    alt_text: str


class StructureTree:
    """Structure tree of a document, to which elements can be added; `next_key` is the next free key in its number tree."""

    def __init__(self, ref: Ref, root: Dictionary, parents: tuple[Ref, Dictionary], next_key: int):
        self._ref, self._root = ref, root
        self._parents_ref, self._parents = parents
        self.next_key = next_key

    def write(self, update: PdfUpdate, tagged: list[Tagged]) -> None:
        """Add one element to the structure tree for each annotation.

        The caller sets `/StructParent` of the annotations to `next_key`, `next_key` + 1, ...
        """
        first = update.reserve(len(tagged))
        keys = range(self.next_key, self.next_key + len(tagged))
        elements = range(first, first + len(tagged))
        for element, one in zip(elements, tagged, strict=True):
            page = b"%d %d R" % one.page
            update.add(
                element,
                b"<</Type/StructElem/S%b/P %d %d R/Pg %b/Alt%b/Lang%b"
                b"/K<</Type/OBJR/Obj %d 0 R/Pg %b>>>>"
                % (
                    one.kind,
                    *self._ref,
                    page,
                    update.string(element, text_octets(one.alt_text)),
                    update.string(element, _LANGUAGE),
                    one.annotation,
                    page,
                ),
            )
        self._hang(update, b" ".join([b"%d 0 R" % element for element in elements]))
        rows = b" ".join(
            [b"%d %d 0 R" % (key, element) for key, element in zip(keys, elements, strict=True)]
        )
        self._number(update, rows, keys)
        update.put(self._ref, self._root, b"/ParentTreeNextKey", b"%d" % keys.stop)

    def _hang(self, update: PdfUpdate, elements: bytes) -> None:
        """Add elements, given as references, behind the last kid of the tree's root."""
        kids = self._root.get(b"/K")
        if isinstance(kids, Dictionary) or (isinstance(kids, Ref) and not update.is_array(kids)):
            start, stop = self._root.spans[b"/K"]
            old = self._root.buffer[start:stop]
            whole = b"[%b %b]" % (old, elements)
            update.splice(self._ref, self._root, Splice(start, stop, whole))
        else:
            update.append(self._ref, self._root, b"/K", elements)

    def _number(self, update: PdfUpdate, rows: bytes, keys: range) -> None:
        """Add rows, each a key and its element, to the number tree; `keys` are the keys of these rows."""
        if b"/Kids" in self._parents:
            leaf = update.reserve()
            limits = b"/Limits[%d %d]" % (keys.start, keys.stop - 1)
            update.add(leaf, b"<<%b/Nums[%b]>>" % (limits, rows))
            update.append(self._parents_ref, self._parents, b"/Kids", b"%d 0 R" % leaf)
        else:
            update.append(self._parents_ref, self._parents, b"/Nums", rows)


def structure_tree(document: Document) -> StructureTree | None:
    """Return the structure tree of a document; `None` if it is not tagged or the tree cannot be extended."""
    ref = document.root.get(b"/StructTreeRoot")
    if not isinstance(ref, Ref):
        return None
    try:
        root = document.dictionary(ref)
        if root is None or root.is_ambiguous or len(root.inside) > ROWS_BYTES_MAX:
            return None
        found = root.get(b"/ParentTree")
        parents = document.dictionary(found)
        if parents is None or parents.is_ambiguous or len(parents.inside) > ROWS_BYTES_MAX:
            return None
        stated = document.number(root, b"/ParentTreeNextKey")
        highest = _highest_key(document, parents)
        next_key = max(int(stated) if stated is not None else 0, highest + 1)
        home = found if isinstance(found, Ref) else ref
        return StructureTree(ref, root, (home, parents), next_key)
    except DocumentBroken:
        return None


def _highest_key(document: Document, node: Dictionary) -> int:
    """Return the last, and so highest, key of a number tree; -1 if the tree is empty."""
    for _ in range(DEPTH_MAX):
        rows = document.items(node, b"/Nums")
        if rows:
            key = document.resolve(rows[-2]) if len(rows) % 2 == 0 else None
            if not isinstance(key, int):
                raise DocumentBroken("a number tree has no numbers")
            return key
        kids = document.items(node, b"/Kids")
        if not kids:
            return -1
        last = document.dictionary(kids[-1])
        if last is None:
            raise DocumentBroken("a number tree lacks a branch")
        node = last
    raise DocumentBroken("a number tree is too deep")
