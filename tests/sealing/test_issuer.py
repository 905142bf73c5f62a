"""The issuer: its files, its limits, and that nothing is sealed with a certificate out of date."""

import threading
from datetime import timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from meterai.sealing import Issuer, IssuerUnusable, Placement, development_issuer, load_issuer, seal


def seal_at(bench, issuer, plain, at):
    stamps = bench.stamps(Placement(1, 9, 9))
    return seal(plain, stamps, issuer, at=at, check_url=bench.check_url, specimen=True)


def test_files_are_made_once_and_keys_are_private(bench, tmp_path):
    directory = tmp_path / "deep" / "issuer"
    made = development_issuer(directory, at=bench.at)
    assert (
        development_issuer(directory, at=bench.at).root == made.root == load_issuer(directory).root
    )
    keys = sorted(path.name for path in directory.glob("*.key"))
    assert keys == ["intermediate.key", "root.key", "seal.key"]
    assert {path.stat().st_mode & 0o777 for path in directory.glob("*.key")} == {0o600}
    assert list(directory.parent.iterdir()) == [directory]
    for certificate in made.chain:
        name = certificate.subject.rfc4514_string()
        assert "Meterai development" in name
        assert "SPECIMEN" in name


def test_of_several_that_race_all_load_the_same(bench, tmp_path):
    roots = []
    threads = [
        threading.Thread(
            target=lambda: roots.append(development_issuer(tmp_path / "issuer", at=bench.at).root)
        )
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(roots) == 6
    assert len(set(roots)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["issuer"]


@pytest.mark.parametrize("days", [-2, 731])
def test_nothing_is_sealed_outside_the_certificates_time(bench, plain, tmp_path, days):
    issuer = development_issuer(tmp_path / "issuer", at=bench.at)
    with pytest.raises(IssuerUnusable) as found:
        seal_at(bench, issuer, plain, bench.at + timedelta(days=days))
    assert found.value.status == 503


def test_an_authority_may_not_seal(bench, plain, tmp_path):
    development_issuer(tmp_path / "issuer", at=bench.at)
    for kind in ("key", "pem"):
        (tmp_path / "issuer" / f"seal.{kind}").write_bytes(
            (tmp_path / "issuer" / f"intermediate.{kind}").read_bytes()
        )
    (tmp_path / "issuer" / "intermediate.pem").write_bytes(
        (tmp_path / "issuer" / "root.pem").read_bytes()
    )
    with pytest.raises(IssuerUnusable, match="key usage"):
        seal_at(bench, load_issuer(tmp_path / "issuer"), plain, bench.at)


@pytest.mark.parametrize(
    ("file", "text"),
    [("seal.key", b"junk"), ("root.pem", b""), ("seal.pem", None), ("intermediate.pem", None)],
)
def test_files_that_are_missing_or_broken(bench, tmp_path, file, text):
    development_issuer(tmp_path / "issuer", at=bench.at)
    path = tmp_path / "issuer" / file
    path.unlink() if text is None else path.write_bytes(text)
    with pytest.raises(IssuerUnusable):
        load_issuer(tmp_path / "issuer")


def test_keys_and_certificates_must_belong_together(bench, tmp_path):
    one = development_issuer(tmp_path / "one", at=bench.at)
    other = development_issuer(tmp_path / "other", at=bench.at)
    key = ec.generate_private_key(ec.SECP256R1())
    with pytest.raises(IssuerUnusable, match="belong"):
        Issuer(key, one.chain)
    (tmp_path / "one" / "intermediate.pem").write_bytes(other.chain[1].public_bytes(Encoding.PEM))
    with pytest.raises(IssuerUnusable, match="not signed"):
        load_issuer(tmp_path / "one")


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()]
)
def test_other_kinds_of_key_are_refused(bench, tmp_path, key):
    development_issuer(tmp_path / "issuer", at=bench.at)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "issuer" / "seal.key").write_bytes(pem)
    with pytest.raises(IssuerUnusable):
        load_issuer(tmp_path / "issuer")


def test_the_leaf_is_for_signing_documents_only(bench):
    leaf = bench.issuer.chain[0]
    usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
    assert usage.digital_signature
    assert not usage.key_cert_sign
    assert isinstance(leaf.signature_hash_algorithm, hashes.SHA256)
