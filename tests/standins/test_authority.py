"""The stand-in authority on its own, queried by foreign tools."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import NameOID

from standins.authority import time_stamp_root
from tests.support.authority import running_authority

NOW = datetime.now(UTC).replace(microsecond=0)


def ask(url: str, body: bytes | None = None, method: str | None = None) -> bytes:
    with urlopen(Request(url, body, method=method), timeout=10) as answer:
        return bytes(answer.read())


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A certificate authority and one certificate below it, as files."""
    folder = tmp_path_factory.mktemp("issuers")
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in ("above", "below")
    ]
    for place, name in enumerate(("root", "seal")):
        certificate = (
            x509.CertificateBuilder()
            .subject_name(names[place])
            .issuer_name(names[0])
            .public_key(keys[place].public_key())
            .serial_number(100 + place)
            .not_valid_before(NOW - timedelta(days=1))
            .not_valid_after(NOW + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=place == 0, path_length=None), critical=True)
            .sign(keys[0], hashes.SHA256())
        )
        pem = keys[place].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (folder / f"{name}.key").write_bytes(pem)
        (folder / f"{name}.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    return folder


@pytest.fixture
def authority(tmp_path, folder):
    with running_authority(tmp_path / "authority", folder) as running:
        yield running


def certificates(folder):
    return [
        x509.load_pem_x509_certificate((folder / f"{name}.pem").read_bytes())
        for name in ("root", "seal")
    ]


def crl_url(authority, certificate: x509.Certificate) -> str:
    key = x509.SubjectKeyIdentifier.from_public_key(certificate.public_key()).digest.hex()
    return f"{authority.url}/crl/{key}.crl"


def test_time_stamps(authority):
    digest = hashlib.sha256(b"x").digest()
    request = {
        "version": "v1",
        "message_imprint": {"hash_algorithm": {"algorithm": "sha256"}, "hashed_message": digest},
        "nonce": 42,
    }
    for wants_certificates in (True, False):
        asked = tsp.TimeStampReq(request | {"cert_req": wants_certificates}).dump()
        response = tsp.TimeStampResp.load(ask(authority.tsa_url, asked), strict=True)
        assert response["status"]["status"].native == "granted"
        content = response["time_stamp_token"]["content"]
        assert len(content["certificates"]) == (2 if wants_certificates else 0)
        info = content["encap_content_info"]["content"].parsed
        assert info["message_imprint"]["hashed_message"].native == digest
        assert info["nonce"].native == 42
    refused = ask(authority.tsa_url, b"junk")
    assert tsp.PKIStatusInfo.load(refused[2:])["status"].native == "rejection"


def test_ocsp_and_lists(authority, folder):
    root, below = certificates(folder)
    asked = ocsp.OCSPRequestBuilder().add_certificate(below, root, hashes.SHA256()).build()
    body = asked.public_bytes(Encoding.DER)

    def state() -> tuple[ocsp.OCSPCertStatus, int]:
        answer = ocsp.load_der_ocsp_response(ask(f"{authority.url}/ocsp", body))
        assert answer.serial_number == below.serial_number
        revocations = x509.load_der_x509_crl(ask(crl_url(authority, root)))
        assert revocations.is_signature_valid(root.public_key())
        return answer.certificate_status, len(revocations)

    assert state() == (ocsp.OCSPCertStatus.GOOD, 0)
    authority.set_faults(revoked=True)
    assert state() == (ocsp.OCSPCertStatus.REVOKED, 2)
    junk = ocsp.load_der_ocsp_response(ask(f"{authority.url}/ocsp", b"junk"))
    assert junk.response_status is ocsp.OCSPResponseStatus.MALFORMED_REQUEST
    stranger = ocsp.OCSPRequestBuilder().add_certificate(below, below, hashes.SHA1()).build()
    answer = ask(f"{authority.url}/ocsp", stranger.public_bytes(Encoding.DER))
    unknown = ocsp.load_der_ocsp_response(answer)
    assert unknown.response_status is ocsp.OCSPResponseStatus.UNAUTHORIZED
    with pytest.raises(HTTPError) as missing:
        ask(f"{authority.url}/crl/{'0' * 40}.crl")
    assert missing.value.code == 404
    missing.value.close()


def test_root_and_faults_survive_a_restart(tmp_path, folder):
    before = time_stamp_root(tmp_path / "authority")
    assert (tmp_path / "authority" / "time_stamp_root.key").stat().st_mode & 0o777 == 0o600
    with running_authority(tmp_path / "authority", folder) as first:
        first.set_faults(unavailable=2, stale=True)
    with running_authority(tmp_path / "authority", folder) as second:
        standing = json.loads(ask(f"{second.url}/standin/faults"))
        assert standing["unavailable"] == 2
        assert standing["stale"] is True
        assert second.root.public_bytes(Encoding.PEM) == before
        second.clear()
        assert json.loads(ask(f"{second.url}/standin/faults"))["unavailable"] == 0
