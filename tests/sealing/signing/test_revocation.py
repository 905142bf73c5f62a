"""Evidence of revocation for level B-LT: requested, checked, cached, and written into a document."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from meterai.sealing.model import IssuerUnusable, RevocationUnavailable
from meterai.sealing.signing.development import development_issuer
from meterai.sealing.signing.issuers import load_issuer
from meterai.sealing.signing.long_term_validation import RevocationAuthorities, TimeStampAuthority
from meterai.sealing.signing.proofs import KEPT, NoEvidence, check_crl, check_ocsp
from meterai.sealing.signing.timestamps import check, root_digests
from standins.authority.keys import Signer, authorities_in
from standins.authority.status import revocation_list
from standins.faults import SCHEMA, Faults
from standins.state import open_state
from tests.support.authority import running_authority

NOW = datetime.now(UTC).replace(microsecond=0)
SECOND = timedelta(seconds=1)
TIMEOUT_SECONDS = 30.0  # a busy machine may take a while


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """The stand-in, and an issuer whose certificates name it."""
    directory = tmp_path_factory.mktemp("authority")
    issuers = directory / "issuers"
    with pytest.MonkeyPatch.context() as patch, running_authority(directory, issuers) as authority:
        # One time for both, since this module may be loaded more than an hour before it runs.
        patch.setattr("standins.authority.status.now", lambda: NOW)
        issuer = development_issuer(issuers / "one", at=NOW, authority_url=authority.url)
        yield authority, issuer


@pytest.fixture(autouse=True)
def no_faults(world):
    yield
    world[0].clear()


@pytest.fixture
def asker():
    return RevocationAuthorities(TIMEOUT_SECONDS)


def test_evidence_covers_issuer_and_time_stamp(world, asker):
    authority, issuer = world
    token = TimeStampAuthority(authority.tsa_url, [authority.root], TIMEOUT_SECONDS).token(b"v")
    stamper = check(token, b"v", root_digests([authority.root])).chain
    found = asker.evidence([issuer.chain, stamper], NOW)
    assert len(found.certificates) == 5
    assert len(found.ocsps) == 3
    assert found.crls == ()
    serials = {ocsp.load_der_ocsp_response(one).serial_number for one in found.ocsps}
    assert serials == {one.serial_number for one in (*issuer.chain[:2], stamper[0])}


def test_appointed_responder_may_answer(world, asker):
    authority, issuer = world
    authority.set_faults(delegated=True)
    found = asker.evidence([issuer.chain], NOW)
    response = ocsp.load_der_ocsp_response(found.ocsps[0])
    assert len(response.certificates) == 1
    request = asked_about(*issuer.chain[:2])
    assert check_ocsp(found.ocsps[0], request, issuer.chain[1], NOW) > NOW
    # After the responder's certificate expires its signature is worthless.
    ended = response.certificates[0].not_valid_after_utc + SECOND
    with pytest.raises(NoEvidence, match="authorized responder"):
        check_ocsp(found.ocsps[0], request, issuer.chain[1], ended)


def test_list_is_used_when_ocsp_fails(world, asker):
    authority, issuer = world
    authority.set_faults(ocsp_unavailable=-1)
    found = asker.evidence([issuer.chain], NOW)
    assert found.ocsps == ()
    assert len(found.crls) == 2


def test_evidence_is_cached_and_expires(world, asker):
    authority, issuer = world
    first = asker.evidence([issuer.chain], NOW)
    authority.set_faults(unavailable=-1)
    assert asker.evidence([issuer.chain], NOW + KEPT - SECOND) == first
    with pytest.raises(RevocationUnavailable, match="503") as found:
        asker.evidence([issuer.chain], NOW + KEPT)
    assert found.value.status == 503


@pytest.mark.parametrize("faults", [{}, {"ocsp_unavailable": -1}], ids=["ocsp", "crl"])
def test_revoked_certificate_is_refused(world, asker, faults):
    authority, issuer = world
    authority.set_faults(revoked=True, **faults)
    with pytest.raises(IssuerUnusable, match="revoked"):
        asker.evidence([issuer.chain], NOW)


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ({"unavailable": -1}, "503"),
        ({"garbage": -1}, "cannot be read"),
        ({"endless": -1}, "more than"),
        ({"redirect": -1}, "302"),
        ({"stale": True}, "out of date"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_answer_that_proves_nothing_is_unavailable(world, asker, fault, reason):
    authority, issuer = world
    authority.set_faults(**fault)
    with pytest.raises(RevocationUnavailable, match=reason):
        asker.evidence([issuer.chain], NOW)
    authority.clear()
    asker.evidence([issuer.chain], NOW)


def asked_about(certificate: x509.Certificate, issuer: x509.Certificate) -> ocsp.OCSPRequest:
    draft = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())
    return draft.build()


def test_answers_must_be_about_the_certificate_and_by_its_issuer(world, asker, tmp_path):
    _, issuer = world
    leaf, intermediate, root = issuer.chain
    about_leaf, about_intermediate = asker.evidence([issuer.chain], NOW).ocsps
    request = asked_about(leaf, intermediate)
    check_ocsp(about_leaf, request, intermediate, NOW)
    with pytest.raises(NoEvidence):
        check_ocsp(about_intermediate, request, intermediate, NOW)
    with pytest.raises(NoEvidence):
        check_ocsp(about_leaf, asked_about(intermediate, root), root, NOW)
    other = development_issuer(tmp_path / "other", algorithm="rsa2048", at=NOW)
    with pytest.raises(NoEvidence, match="authorized responder"):
        check_ocsp(about_leaf, request, other.chain[1], NOW)
    for place in range(len(about_leaf)):
        spoilt = bytearray(about_leaf)
        spoilt[place] ^= 0x55
        with pytest.raises(NoEvidence):
            check_ocsp(bytes(spoilt), request, intermediate, NOW)


def test_lists_must_be_by_the_issuer_and_about_such_certificates(world, tmp_path):
    _, issuer = world
    leaf, intermediate, _ = issuer.chain
    development_issuer(tmp_path / "issuer", at=NOW)
    other = load_issuer(tmp_path / "issuer")
    faults = Faults(open_state(tmp_path / "faults.sqlite", SCHEMA), {})
    strangers = authorities_in(tmp_path / "issuer")
    assert len(strangers) == 2
    for stranger in strangers:
        made = revocation_list(stranger, [], faults)
        with pytest.raises(NoEvidence, match="not made by the authority"):
            check_crl(made, leaf, intermediate, NOW)
    own = next(one for one in strangers if one.certificate == other.chain[1])
    check_crl(revocation_list(own, [], faults), other.chain[0], other.chain[1], NOW)
    kinds: list[tuple[dict[str, object], bool]] = [
        ({"only_contains_user_certs": True}, True),
        ({"only_contains_ca_certs": True}, False),
        ({"only_contains_attribute_certs": True}, False),
        ({"indirect_crl": True}, False),
        ({"only_some_reasons": frozenset([x509.ReasonFlags.key_compromise])}, False),
    ]
    for kind, is_complete in kinds:
        made = partial_list(own, kind)
        if is_complete:
            check_crl(made, other.chain[0], other.chain[1], NOW)
        else:
            with pytest.raises(NoEvidence, match="such certificates"):
                check_crl(made, other.chain[0], other.chain[1], NOW)


def partial_list(signer: Signer, kind: dict[str, object]) -> bytes:
    point: dict[str, Any] = {
        "full_name": None,
        "relative_name": None,
        "only_contains_user_certs": False,
        "only_contains_ca_certs": False,
        "only_some_reasons": None,
        "indirect_crl": False,
        "only_contains_attribute_certs": False,
    } | kind
    return (
        x509.CertificateRevocationListBuilder()
        .issuer_name(signer.certificate.subject)
        .last_update(NOW)
        .next_update(NOW + timedelta(days=1))
        .add_extension(x509.IssuingDistributionPoint(**point), critical=True)
        .sign(signer.key, hashes.SHA256())
        .public_bytes(Encoding.DER)
    )


# -- the store in the document ------------------------------------------------------------------
