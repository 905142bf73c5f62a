"""Attacks on the revocation evidence behind a seal.

No signature covers the evidence. A verifier computes it again, and anything that differs counts as appended by
a stranger.
"""

from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path

from asn1crypto import ocsp as asn1_ocsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import ocsp
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from meterai.sealing.model import RevocationEvidence
from meterai.sealing.pdf.document import open_document
from meterai.sealing.signing import cms
from meterai.sealing.signing.der import SEQUENCE, tlv
from meterai.sealing.signing.keys import PrivateKey
from meterai.sealing.signing.timestamps import check, root_digests
from meterai.sealing.writing.security_store import store_update
from tests.support.attacks.gap import signed_data_of, time_stamper
from tests.support.attacks.lab import AT, Attack, Lab, extended
from tests.support.attacks.octets import ranges_of
from tests.support.pdfmaker import Stream, update

_HOUR, _DAY = timedelta(hours=1), timedelta(days=1)
_STAMP = b"endstream\nendobj\n"

Spoil = Callable[[RevocationEvidence], RevocationEvidence]


class Responder:
    """Revocation evidence for an issuer and its time-stamps, signed by their authorities."""

    seconds_max = 0.0

    def __init__(self, keys: Path) -> None:
        stamper = time_stamper()
        (stamp_root,) = self.time_stamp_roots = stamper.time_stamp_roots
        self.token = stamper.token
        self._keys: dict[x509.Name, PrivateKey] = {stamp_root.subject: stamper.root_key}
        for name in ("root", "intermediate"):
            certificate = x509.load_pem_x509_certificate((keys / f"{name}.pem").read_bytes())
            key = load_pem_private_key((keys / f"{name}.key").read_bytes(), None)
            assert isinstance(key, ec.EllipticCurvePrivateKey)
            self._keys[certificate.subject] = key

    def answer(
        self,
        certificate: x509.Certificate,
        authority: x509.Certificate,
        at: datetime,
        *,
        is_revoked: bool = False,
    ) -> bytes:
        """An OCSP answer about a certificate."""
        key = self._keys[authority.subject]
        status = ocsp.OCSPCertStatus.REVOKED if is_revoked else ocsp.OCSPCertStatus.GOOD
        draft = ocsp.OCSPResponseBuilder().add_response(
            cert=certificate,
            issuer=authority,
            algorithm=hashes.SHA1(),
            cert_status=status,
            this_update=at - _HOUR,
            next_update=at + _DAY,
            revocation_time=at - _HOUR if is_revoked else None,
            revocation_reason=None,
        )
        signed = draft.responder_id(ocsp.OCSPResponderEncoding.HASH, authority).sign(
            key, hashes.SHA256()
        )
        return signed.public_bytes(Encoding.DER)

    def revocations(self, authority: x509.Certificate, at: datetime) -> bytes:
        """An empty revocation list, signed by `authority`."""
        key = self._keys[authority.subject]
        draft = x509.CertificateRevocationListBuilder().issuer_name(authority.subject)
        signed = draft.last_update(at - _HOUR).next_update(at + _DAY).sign(key, hashes.SHA256())
        return signed.public_bytes(Encoding.DER)

    def evidence(
        self, signed_data: bytes, chain: Sequence[x509.Certificate], at: datetime
    ) -> RevocationEvidence:
        """Certificates and OCSP answers for the chains of a seal and of its time-stamp."""
        read = cms.read(signed_data)
        chains = [chain]
        if read.time_stamp is not None:
            named = root_digests(self.time_stamp_roots)
            chains.append(check(read.time_stamp, read.signature, named).chain)
        certificates = tuple(one.public_bytes(Encoding.DER) for path in chains for one in path)
        answers = (self.answer(*pair, at) for path in chains for pair in pairwise(path))
        return RevocationEvidence(certificates, tuple(answers), ())


def responder(lab: Lab) -> Responder:
    """The authorities of the lab's issuer."""
    assert lab.keys is not None
    return Responder(lab.keys)


def with_evidence(lab: Lab) -> bytes:
    """The letter, sealed by an issuer that appends evidence."""
    issuer = copy(lab.issuer)
    issuer.long_term_validation = responder(lab)
    return lab.seal(lab.original, issuer=issuer)


def evidence_of(lab: Lab, at: datetime = AT) -> RevocationEvidence:
    """The evidence for the seal of the letter."""
    return responder(lab).evidence(signed_data_of(lab.sealed), lab.issuer.chain, at)


def appended(lab: Lab, evidence: RevocationEvidence, contents: bytes | None = None) -> bytes:
    """The sealed letter with this evidence appended in our own layout."""
    start, end, _ = ranges_of(lab.sealed)
    contents = contents or bytes.fromhex(lab.sealed[start + 1 : end - 1].decode())
    document = open_document(lab.sealed, bytes_max=len(lab.sealed))
    return lab.sealed + store_update(document, contents, evidence)


def _spoilt(spoil: Spoil) -> Attack:
    """An attack with changed evidence in our own layout."""
    return extended(lambda lab: appended(lab, spoil(evidence_of(lab))))


def _rewritten(before: bytes, after: bytes) -> Attack:
    """An attack that replaces bytes of our evidence once."""

    def make(lab: Lab) -> bytes:
        made = appended(lab, evidence_of(lab))
        update_of = made[len(lab.sealed) :]
        assert before in update_of
        return lab.sealed + update_of.replace(before, after, 1)

    return extended(make)


def _byte_changed(lab: Lab) -> bytes:
    spoilt = bytearray(appended(lab, evidence_of(lab)))
    spoilt[spoilt.rindex(_STAMP) - 9] ^= 1
    return bytes(spoilt)


def _page_in_a_certificate(evidence: RevocationEvidence) -> RevocationEvidence:
    """A certificate whose signature value is a page, for PDF readers that search the file for objects."""
    page = b"\n4 0 obj\n<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 7 0 R>>\nendobj\n"
    first = asn1_x509.Certificate.load(evidence.certificates[0]).copy()
    first["signature_value"] = page
    return replace(evidence, certificates=(first.dump(), *evidence.certificates[1:]))


def _page_beside_the_certificates(evidence: RevocationEvidence) -> RevocationEvidence:
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]>>"
    return replace(evidence, certificates=(*evidence.certificates, page))


def _with_a_certificate_inside(evidence: RevocationEvidence) -> RevocationEvidence:
    """An OCSP answer with an additional certificate that its signature does not cover."""
    answer = asn1_ocsp.OCSPResponse.load(evidence.ocsps[0]).copy()
    basic = answer["response_bytes"]["response"].parsed
    basic["certs"] = [asn1_x509.Certificate.load(evidence.certificates[-1])]
    answer["response_bytes"]["response"] = basic
    return replace(evidence, ocsps=(answer.dump(force=True), *evidence.ocsps[1:]))


def _in_ber(evidence: RevocationEvidence) -> RevocationEvidence:
    first = evidence.ocsps[0]
    body = first[4:]
    longer = b"\x30\x83" + len(body).to_bytes(3, "big") + body
    assert tlv(SEQUENCE, body) == first
    return replace(evidence, ocsps=(longer, *evidence.ocsps[1:]))


def _of_another_seal(lab: Lab) -> bytes:
    """Our evidence, stored in the entry for the seal of another document."""
    start, end, _ = ranges_of(lab.other)
    contents = bytes.fromhex(lab.other[start + 1 : end - 1].decode())
    return appended(lab, evidence_of(lab), contents)


def _revoked(lab: Lab) -> bytes:
    leaf, above, *_ = lab.issuer.chain
    made = evidence_of(lab)
    answer = responder(lab).answer(leaf, above, AT, is_revoked=True)
    return appended(lab, replace(made, ocsps=(answer, *made.ocsps[1:])))


def _of_another_time(lab: Lab, *, away: timedelta) -> bytes:
    return appended(lab, evidence_of(lab, AT + away))


def _with_a_list_more(lab: Lab) -> bytes:
    crl = responder(lab).revocations(lab.issuer.root, AT)
    return appended(lab, replace(evidence_of(lab), crls=(crl,)))


def _twice(lab: Lab) -> bytes:
    made = appended(lab, evidence_of(lab))
    return made + made[len(lab.sealed) :]


def _then_a_page(lab: Lab) -> bytes:
    return update(appended(lab, evidence_of(lab)), {5: Stream(b"", b"0 g")})


def _of_a_library(writer: IncrementalPdfFileWriter) -> None:
    leaf = generic.StreamObject(stream_data=b"sertifikat")
    listed = generic.ArrayObject([writer.add_object(leaf)])
    writer.root["/DSS"] = writer.add_object(
        generic.DictionaryObject({pdf_name("/Type"): pdf_name("/DSS"), pdf_name("/Certs"): listed})
    )
    writer.update_root()


CASES: dict[str, Attack] = {
    "evidence-of-a-stranger": extended(lambda lab: lab.updated(lab.sealed, _of_a_library)),
    "evidence-with-a-byte-changed": extended(_byte_changed),
    "evidence-with-a-byte-added": extended(lambda lab: appended(lab, evidence_of(lab)) + b"\n"),
    "evidence-with-a-byte-left-out": extended(lambda lab: appended(lab, evidence_of(lab))[:-1]),
    "evidence-twice": extended(_twice),
    "evidence-and-a-page-behind-it": extended(_then_a_page),
    "evidence-with-an-entry-in-the-catalog": _rewritten(
        b"/Type/Catalog", b"/Type/Catalog/OpenAction 4 0 R"
    ),
    "evidence-with-a-comment": _rewritten(_STAMP, b"endstream\nendobj\n%\n"),
    "evidence-with-another-predecessor": _rewritten(b"/Prev ", b"/Prev 0"),
    "evidence-with-a-page-in-a-certificate": _spoilt(_page_in_a_certificate),
    "evidence-with-a-page-beside-the-certificates": _spoilt(_page_beside_the_certificates),
    "evidence-with-a-certificate-in-an-answer": _spoilt(_with_a_certificate_inside),
    "evidence-in-another-encoding": _spoilt(_in_ber),
    "evidence-in-another-order": _spoilt(
        lambda one: replace(one, certificates=one.certificates[::-1])
    ),
    "evidence-with-an-answer-missing": _spoilt(lambda one: replace(one, ocsps=one.ocsps[:1])),
    "evidence-with-an-answer-twice": _spoilt(
        lambda one: replace(one, ocsps=(*one.ocsps, one.ocsps[0]))
    ),
    "evidence-with-a-list-more": extended(_with_a_list_more),
    "evidence-of-another-seal": extended(_of_another_seal),
    "evidence-from-before": extended(partial(_of_another_time, away=-3 * _DAY)),
    "evidence-from-a-time-to-come": extended(partial(_of_another_time, away=3 * _DAY)),
    "evidence-of-a-revocation": extended(_revoked),
}
