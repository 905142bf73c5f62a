"""The document security store (ISO 32000-2, section 12.8.4.3; ETSI EN 319 142-1, section 5.4).

It has certificates, OCSP answers and revocation lists, once each, and under /VRI which of them
belong to which signature.  It is an update of its own behind the seal: an entry of /VRI is named by
the digest of the finished signature, and the authorities sign the items it lists.
"""

import hashlib
from dataclasses import dataclass

from meterai.sealing.model import RevocationEvidence
from meterai.sealing.pdf.document import Document
from meterai.sealing.pdf.serialization import Stream
from meterai.sealing.pdf.syntax import Ref
from meterai.sealing.pdf.update import PdfUpdate


@dataclass(frozen=True, slots=True)
class EarlierStore:
    """Content of a store that the document has already, as written between the brackets:
    references in the three arrays, and the entries of /VRI.
    """

    certificates: bytes = b""
    ocsps: bytes = b""
    crls: bytes = b""
    vri: bytes = b""


_NOTHING = EarlierStore()


class SecurityStore:
    """Objects of a store for one signature.

    `contents` is the value of the signature's /Contents with its padding.  Objects are numbered
    from a first number on: the streams, the entry for the signature, and last the store itself,
    which the catalog names under /DSS.
    """

    def __init__(
        self, evidence: RevocationEvidence, contents: bytes, earlier: EarlierStore = _NOTHING
    ) -> None:
        self._evidence = evidence
        # ISO 32000-2, table 261: SHA-1 of the contents is only the name of the entry.
        self._name = hashlib.sha1(contents, usedforsecurity=False).hexdigest().upper().encode()
        self._earlier = earlier
        # Not deflated: a verifier makes them again, byte for byte, with any library.
        self._streams = [
            Stream(b"", encoded)
            for encoded in (*evidence.certificates, *evidence.ocsps, *evidence.crls)
        ]

    @property
    def count(self) -> int:
        """Number of objects."""
        return len(self._streams) + 2

    def dss(self, first: int) -> int:
        """Return the number of the store itself."""
        return first + self.count - 1

    def objects(self, first: int) -> list[Stream | bytes]:
        """Return the objects with the numbers `first`, `first + 1`, ..."""
        certificates, ocsps, crls = self._references(first)
        entry = b"<</Type/VRI%b%b%b>>" % (
            _array(b"Cert", certificates),
            _array(b"OCSP", ocsps),
            _array(b"CRL", crls),
        )
        earlier = self._earlier
        # On a line of its own: earlier entries may end in a comment.
        store = b"<</Type/DSS/VRI<<%b\n/%b %d 0 R>>%b%b%b>>" % (
            earlier.vri,
            self._name,
            first + self.count - 2,
            _array(b"Certs", b" ".join((earlier.certificates, certificates)).strip()),
            _array(b"OCSPs", b" ".join((earlier.ocsps, ocsps)).strip()),
            _array(b"CRLs", b" ".join((earlier.crls, crls)).strip()),
        )
        return [*self._streams, entry, store]

    def _references(self, first: int) -> tuple[bytes, bytes, bytes]:
        numbers = [b"%d 0 R" % (first + index) for index in range(len(self._streams))]
        ocsps_at = len(self._evidence.certificates)
        crls_at = ocsps_at + len(self._evidence.ocsps)
        return (
            b" ".join(numbers[:ocsps_at]),
            b" ".join(numbers[ocsps_at:crls_at]),
            b" ".join(numbers[crls_at:]),
        )


def store_update(document: Document, contents: bytes, evidence: RevocationEvidence) -> bytes:
    """Return an update that puts the evidence for one signature behind a document.

    The content of an existing store is kept.
    """
    update, root = PdfUpdate(document), document.root
    store = SecurityStore(evidence, contents, _earlier(document))
    first = update.reserve(store.count)
    for number, body in enumerate(store.objects(first), start=first):
        update.add(number, body)
    update.put(document.root_ref, root, b"/DSS", b"%d 0 R" % store.dss(first))
    return update.written()


def _earlier(document: Document) -> EarlierStore:
    known = document.dictionary(document.root.get(b"/DSS"))
    if known is None:
        return _NOTHING

    def references(key: bytes) -> bytes:
        items = document.items(known, key)
        return b" ".join([b"%d %d R" % item for item in items if isinstance(item, Ref)])

    vri = document.dictionary(known.get(b"/VRI"))
    return EarlierStore(
        references(b"/Certs"),
        references(b"/OCSPs"),
        references(b"/CRLs"),
        vri.inside if vri is not None else b"",
    )


def _array(name: bytes, references: bytes) -> bytes:
    return b"/%b[%b]" % (name, references) if references else b""
