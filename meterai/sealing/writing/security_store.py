"""The document security store (ISO 32000-2, section 12.8.4.3; ETSI EN 319 142-1, section 5.4).

The store contains certificates, OCSP answers and revocation lists, each once.  Below /VRI it has an entry for each signature,
which lists the items for that signature.  The name of the entry is the digest of the finished signature, so the store is a
separate update behind the seal.  The update needs no signature, since the authorities signed its items.
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
    """Content of the store that a document already has, as written in the file.

    `certificates`, `ocsps` and `crls` are the references in its three arrays, and `vri` the entries of /VRI, all without
    their brackets.
    """

    certificates: bytes = b""
    ocsps: bytes = b""
    crls: bytes = b""
    vri: bytes = b""


_NOTHING = EarlierStore()


class SecurityStore:
    """Objects of a security store with the evidence for one signature.

    `contents` is the decoded value of the signature's /Contents with its padding.  The objects have consecutive numbers:
    first the streams, then the entry for the signature, and last the store itself, to which the catalog refers by /DSS.
    """

    def __init__(
        self, evidence: RevocationEvidence, contents: bytes, earlier: EarlierStore = _NOTHING
    ) -> None:
        self._evidence = evidence
        # ISO 32000-2, table 261: the entry is named by the SHA-1 of the contents, which protects nothing here.
        self._name = hashlib.sha1(contents, usedforsecurity=False).hexdigest().upper().encode()
        self._earlier = earlier
        # Not deflated, so that a verifier can make the streams again byte for byte, with any library.
        self._streams = [
            Stream(b"", encoded)
            for encoded in (*evidence.certificates, *evidence.ocsps, *evidence.crls)
        ]

    @property
    def count(self) -> int:
        """Number of objects of the store."""
        return len(self._streams) + 2

    def dss(self, first: int) -> int:
        """Return the object number of the store itself, if the objects are numbered from `first`."""
        return first + self.count - 1

    def objects(self, first: int) -> list[Stream | bytes]:
        """Return the bodies of the objects `first`, `first + 1`, ..."""
        certificates, ocsps, crls = self._references(first)
        entry = b"<</Type/VRI%b%b%b>>" % (
            _array(b"Cert", certificates),
            _array(b"OCSP", ocsps),
            _array(b"CRL", crls),
        )
        earlier = self._earlier
        # The new entry begins on a new line, since earlier entries may end in a comment.
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
    """Return the bytes of an update that appends the evidence for one signature to a document.

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
