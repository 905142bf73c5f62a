"""Attacks on bytes that no signature covers: the SignedData in a seal's own /Contents, and its time-stamp."""

import hashlib
from collections.abc import Callable, Sequence
from copy import copy
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from asn1crypto import cms as asn1
from asn1crypto import core as asn1_core
from asn1crypto import keys, tsp
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID
from pyhanko.sign.timestamps import DummyTimeStamper

from meterai.sealing.signing import cms
from meterai.sealing.signing.cms_layout import SIGNED_DATA, TIME_STAMP_TOKEN
from meterai.sealing.signing.der import SEQUENCE, SET, tlv
from meterai.sealing.signing.timestamps import taken_in
from tests.support.attacks.lab import AT, Attack, Lab, altered, forged
from tests.support.attacks.octets import ranges_of

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_UNKNOWN = tlv(0x06, b"\x2a\x04")

Spoil = Callable[[bytes], bytes]


class TimeStamper:
    """A time-stamp authority of a library, with its root certificate and tokens of a fixed time."""

    seconds_max = 0.0

    def __init__(self, at: datetime = AT, words: str = "Otoritas Waktu") -> None:
        self.at = at
        self.root_key, self._key = (rsa.generate_private_key(65537, 2048) for _ in range(2))
        root = _certificate("Akar Waktu", self.root_key, "Akar Waktu", self.root_key, is_root=True)
        leaf = _certificate("Akar Waktu", self.root_key, words, self._key, is_root=False)
        self.time_stamp_roots: tuple[x509.Certificate, ...] = (root,)
        self._leaf = asn1_x509.Certificate.load(leaf.public_bytes(Encoding.DER))

    def token(self, signature_value: bytes) -> bytes:
        """A time-stamp token over a signature value."""
        private = self._key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        stamper = DummyTimeStamper(
            self._leaf, keys.PrivateKeyInfo.load(private), fixed_dt=self.at, include_nonce=False
        )
        imprint = {
            "hash_algorithm": {"algorithm": "sha256"},
            "hashed_message": hashlib.sha256(signature_value).digest(),
        }
        request = tsp.TimeStampReq({"version": "v1", "message_imprint": imprint})
        answer = stamper.request_tsa_response(request)
        return taken_in(answer["time_stamp_token"].dump(), self.time_stamp_roots)

    def evidence(self, signed_data: bytes, chain: object, at: datetime) -> None:
        """Appends no evidence."""


def _certificate(
    issuer: str,
    issuer_key: rsa.RSAPrivateKey,
    subject: str,
    key: rsa.RSAPrivateKey,
    *,
    is_root: bool,
) -> x509.Certificate:
    def name(words: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, words)])

    begin, end = AT - timedelta(days=9), AT + timedelta(days=9)
    draft = x509.CertificateBuilder(
        name(issuer), name(subject), key.public_key(), x509.random_serial_number(), begin, end
    )
    usage = x509.KeyUsage(
        not is_root, False, False, False, False, is_root, False, False, False
    )  # fmt: skip
    draft = draft.add_extension(usage, critical=True).add_extension(
        x509.BasicConstraints(ca=is_root, path_length=None), critical=True
    )
    if not is_root:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        draft = draft.add_extension(purpose, critical=True)
    return draft.sign(issuer_key, hashes.SHA256())


@cache
def time_stamper() -> TimeStamper:
    """The time-stamp authority that all documents of this module share."""
    return TimeStamper()


@cache
def _stranger() -> TimeStamper:
    return TimeStamper(words="W" * 64)


def time_stamped(lab: Lab) -> bytes:
    """A letter with a seal that has a time-stamp."""
    issuer = copy(lab.issuer)
    issuer.long_term_validation = time_stamper()
    return lab.seal(lab.original, issuer=issuer)


def signed_data_of(document: bytes) -> bytes:
    """The SignedData of the first seal."""
    start, end, _ = ranges_of(document)
    padded = bytes.fromhex(document[start + 1 : end - 1].decode())
    return padded[: cms.der_length(padded)]


def with_signed_data(document: bytes, encoded: bytes) -> bytes:
    """The document with other bytes of the same length in the /Contents of its first seal."""
    start, end, _ = ranges_of(document)
    digits = encoded.hex().encode().ljust(end - start - 2, b"0")
    assert len(digits) == end - start - 2
    return document[: start + 1] + digits + document[end - 1 :]


def _plain(lab: Lab) -> bytes:
    return lab.sealed


def _in_gap(spoil: Spoil, make: Callable[[Lab], bytes] = time_stamped) -> Callable[[Lab], bytes]:
    def spoilt(lab: Lab) -> bytes:
        document = make(lab)
        before = signed_data_of(document)
        after = spoil(before)
        assert after != before
        return with_signed_data(document, after)

    return spoilt


def _rebuilt(
    encoded: bytes,
    *,
    unsigned: bytes | None = None,
    certificates: bytes | None = None,
    crls: bytes = b"",
    signature: bytes | None = None,
) -> bytes:
    """The SignedData with its parts outside the signature replaced."""
    content = asn1.ContentInfo.load(encoded, strict=True)["content"]
    signer = content["signer_infos"][0]
    own = signer["unsigned_attrs"].dump() if len(signer["unsigned_attrs"]) else b""
    names = ("version", "sid", "digest_algorithm", "signed_attrs", "signature_algorithm")
    signer_info = tlv(
        SEQUENCE,
        *(signer[name].dump() for name in names),
        tlv(0x04, signature or signer["signature"].native),
        own if unsigned is None else unsigned,
    )
    signed_data = tlv(
        SEQUENCE,
        *(content[name].dump() for name in ("version", "digest_algorithms", "encap_content_info")),
        certificates or content["certificates"].dump(),
        crls,
        tlv(SET, signer_info),
    )
    return tlv(SEQUENCE, SIGNED_DATA, tlv(0xA0, signed_data))


def _unsigned(*attributes: bytes) -> bytes:
    return tlv(0xA1, *attributes) if attributes else b""


def _token(token: bytes) -> bytes:
    return tlv(SEQUENCE, TIME_STAMP_TOKEN, tlv(SET, token))


def _taken_out(encoded: bytes) -> bytes:
    return _rebuilt(encoded, unsigned=b"")


def _by(stamper: Callable[[], TimeStamper], value: Spoil = lambda one: one) -> Spoil:
    """Replaces the time-stamp token by one of another authority or over another value."""

    def spoil(encoded: bytes) -> bytes:
        token = stamper().token(value(cms.read(encoded).signature))
        return _rebuilt(encoded, unsigned=_unsigned(_token(token)))

    return spoil


with_another_token = _by(time_stamper)


def _later() -> TimeStamper:
    stamper = time_stamper()
    later = TimeStamper.__new__(TimeStamper)
    vars(later).update(vars(stamper))
    later.at = AT + timedelta(minutes=10)
    return later


def _token_changed(change: Callable[[Any], None]) -> Spoil:
    """Changes parts of the time-stamp token that its authority did not sign."""

    def spoil(encoded: bytes) -> bytes:
        token = cms.read(encoded).time_stamp
        assert token is not None
        content = asn1.ContentInfo.load(token)
        change(content["content"])
        return _rebuilt(encoded, unsigned=_unsigned(_token(content.dump(force=True))))

    return spoil


def _stuffed(signed_data: Any) -> None:
    """An additional certificate in the token, stuffed with eight kilobytes."""
    own = signed_data["certificates"][0].chosen
    stuffed = asn1_x509.Certificate.load(own.dump()).copy()
    stuffed["signature_value"] = asn1_core.OctetBitString(b"apa saja" * 1_000)
    signed_data["certificates"] = [*signed_data["certificates"], stuffed]


def _as_rsa(signed_data: Any) -> None:
    """The same signature algorithm under its other object identifier."""
    signed_data["signer_infos"][0]["signature_algorithm"] = {"algorithm": "rsassa_pkcs1v15"}


def _unsigned_inside(signed_data: Any) -> None:
    more = tlv(SEQUENCE, _UNKNOWN, tlv(SET, tlv(0x04, b"apa saja")))
    signed_data["signer_infos"][0]["unsigned_attrs"] = asn1.CMSAttributes.load(tlv(SET, more))


def _beside(encoded: bytes) -> bytes:
    token = cms.read(encoded).time_stamp
    assert token is not None
    more = tlv(SEQUENCE, _UNKNOWN, tlv(SET, tlv(0x04, b"apa saja")))
    return _rebuilt(encoded, unsigned=_unsigned(more, _token(token)))


def _token_twice(encoded: bytes) -> bytes:
    token = cms.read(encoded).time_stamp
    assert token is not None
    return _rebuilt(encoded, unsigned=_unsigned(_token(token), _token(token)))


def _the_other_s(encoded: bytes) -> bytes:
    r, s = decode_dss_signature(cms.read(encoded).signature)
    return _rebuilt(encoded, signature=encode_dss_signature(r, P256_ORDER - s))


def _with_crls(encoded: bytes) -> bytes:
    return _rebuilt(encoded, crls=tlv(0xA1, tlv(SEQUENCE, b"\x05\x00")))


def _certificates(change: Callable[[Sequence[bytes]], Sequence[bytes]]) -> Spoil:
    def spoil(encoded: bytes) -> bytes:
        found = asn1.ContentInfo.load(encoded, strict=True)["content"]["certificates"]
        return _rebuilt(
            encoded, certificates=tlv(0xA0, *change([one.chosen.dump() for one in found]))
        )

    return spoil


def _authority_in_its_other_form(certificates: Sequence[bytes]) -> Sequence[bytes]:
    """An intermediate certificate with the signature (r, n - s), which is valid too.

    It may be two bytes longer than the original, for which a container without a time-stamp may have no room.
    """
    found = []
    for one in certificates:
        read = x509.load_der_x509_certificate(one)
        key = read.public_key()
        assert isinstance(key, ec.EllipticCurvePublicKey)
        is_authority = read.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
        if is_authority and read.issuer != read.subject:
            r, s = decode_dss_signature(read.signature)
            other = encode_dss_signature(r, P256_ORDER - s)
            signed, algorithm = (
                read.tbs_certificate_bytes,
                one[len(read.tbs_certificate_bytes) + 4 :],
            )
            length = 2 + algorithm[1]
            one = tlv(SEQUENCE, signed, algorithm[:length], tlv(0x03, b"\0", other))
        found.append(one)
    return sorted(found)


def _longer_length(encoded: bytes) -> bytes:
    """BER encoding: a length field one byte longer than necessary."""
    length = int.from_bytes(encoded[2:4], "big")
    return b"\x30\x83" + length.to_bytes(3, "big") + encoded[4:]


def _in_the_padding(encoded: bytes) -> bytes:
    return encoded + bytes(40) + b"apa saja"


CASES: dict[str, Attack] = {
    "time-stamp-taken-out": altered(_in_gap(_taken_out), "time_stamp"),
    "time-stamp-invented": altered(_in_gap(_by(_stranger)), "time_stamp"),
    "time-stamp-over-another-signature": altered(
        _in_gap(_by(time_stamper, lambda one: one[:-1])), "time_stamp"
    ),
    "time-stamp-of-a-later-time": altered(_in_gap(_by(_later)), "time_stamp"),
    "time-stamp-with-a-stuffed-certificate": altered(
        _in_gap(_token_changed(_stuffed)), "time_stamp"
    ),
    "time-stamp-with-an-unsigned-attribute": altered(
        _in_gap(_token_changed(_unsigned_inside)), "time_stamp"
    ),
    "time-stamp-by-another-name-of-its-algorithm": altered(
        _in_gap(_token_changed(_as_rsa)), "time_stamp"
    ),
    "time-stamp-twice": altered(_in_gap(_token_twice), "structure", "time_stamp"),
    "attribute-beside-the-time-stamp": altered(_in_gap(_beside), "structure", "time_stamp"),
    "signature-in-its-other-form": altered(_in_gap(_the_other_s, _plain), "structure"),
    "lists-in-the-signed-data": altered(_in_gap(_with_crls), "structure"),
    "certificates-in-another-order": altered(
        _in_gap(_certificates(lambda found: found[::-1]), _plain), "structure"
    ),
    "authority-in-its-other-form": forged(
        _in_gap(_certificates(_authority_in_its_other_form)), "seal"
    ),
    "signed-data-in-ber": forged(_in_gap(_longer_length), "seal"),
    "bytes-in-the-padding": altered(_in_gap(_in_the_padding), "structure"),
}
HONEST: dict[str, Attack] = {"genuine-with-a-time-stamp": Attack(time_stamped, "genuine")}
