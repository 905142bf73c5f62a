"""Time-stamps (RFC 3161): a TimeStampReq is answered with a TimeStampResp that contains a signed token."""

import hashlib
import secrets

from asn1crypto import algos, cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from standins.authority.keys import Signer, now
from standins.faults import Faults

POLICY = "1.3.6.1.4.1.32473.1"  # in the arc that RFC 5612 reserves for examples

_SERIAL_BITS = 63  # random, so that serial numbers do not repeat after a restart


def answer(request: bytes, root: Signer, signer: Signer, faults: Faults) -> bytes:
    """Return the response to a request; its status is `rejection` if the request cannot be parsed."""
    try:
        asked = tsp.TimeStampReq.load(request, strict=True)
        imprint, nonce = asked["message_imprint"], asked["nonce"].native
        wants_certificates = asked["cert_req"].native
        policy = asked["req_policy"].native or POLICY
        imprint.native  # noqa: B018 - asn1crypto parses when asked, and raises then
    except (ValueError, TypeError, KeyError):
        return _rejection("bad_data_format")
    if faults.take("rejected"):
        return _rejection("time_not_available")
    if faults.take("wrong_nonce"):
        nonce = (nonce or 0) + 1
    if faults.take("wrong_imprint"):
        octets = bytes(len(imprint["hashed_message"].native))
        imprint = {"hash_algorithm": imprint["hash_algorithm"], "hashed_message": octets}
    info = {
        "version": "v1",
        "policy": policy,
        "message_imprint": imprint,
        "serial_number": secrets.randbits(_SERIAL_BITS),
        "gen_time": now(),
        "accuracy": {"seconds": 1},
    }
    if nonce is not None:
        info["nonce"] = nonce
    has_wrong_key = faults.take("wrong_signature")
    key = ec.generate_private_key(ec.SECP256R1()) if has_wrong_key else signer.key
    certificates = [signer, root] if wants_certificates else []
    token = _token(tsp.TSTInfo(info), Signer(key, signer.certificate), certificates)
    response = {"status": {"status": "granted"}, "time_stamp_token": token}
    return bytes(tsp.TimeStampResp(response).dump())


def _rejection(failure: str) -> bytes:
    status = {"status": "rejection", "fail_info": {failure}}
    # A rejection has no token, but the library always puts a token into a TimeStampResp.
    return bytes(core.SequenceOf([tsp.PKIStatusInfo(status)], spec=tsp.PKIStatusInfo).dump())


def _token(info: tsp.TSTInfo, signer: Signer, certificates: list[Signer]) -> cms.ContentInfo:
    content = info.dump()
    encoded = signer.certificate.public_bytes(Encoding.DER)
    own = x509.Certificate.load(encoded)
    named = {"certs": [{"cert_hash": hashlib.sha256(encoded).digest()}]}
    attributes = cms.CMSAttributes(
        [
            {"type": "content_type", "values": ["tst_info"]},
            {"type": "message_digest", "values": [hashlib.sha256(content).digest()]},
            {"type": "signing_certificate_v2", "values": [named]},
        ]
    )
    assert isinstance(signer.key, ec.EllipticCurvePrivateKey)
    signature = signer.key.sign(attributes.dump(), ec.ECDSA(hashes.SHA256()))
    sha256 = algos.DigestAlgorithm({"algorithm": "sha256"})
    signer_info = {
        "version": "v1",
        "sid": cms.SignerIdentifier(
            "issuer_and_serial_number",
            cms.IssuerAndSerialNumber({"issuer": own.issuer, "serial_number": own.serial_number}),
        ),
        "digest_algorithm": sha256,
        "signed_attrs": attributes,
        "signature_algorithm": {"algorithm": "sha256_ecdsa"},
        "signature": signature,
    }
    signed_data = {
        "version": "v3",
        "digest_algorithms": [sha256],
        "encap_content_info": {
            "content_type": "tst_info",
            "content": core.ParsableOctetString(content),
        },
        "signer_infos": [signer_info],
    }
    if certificates:
        signed_data["certificates"] = [
            x509.Certificate.load(one.certificate.public_bytes(Encoding.DER))
            for one in certificates
        ]
    return cms.ContentInfo({"content_type": "signed_data", "content": cms.SignedData(signed_data)})
