"""`meterai keys make` makes the missing keys of production, and overwrites nothing."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from meterai.commands import Exit
from meterai.plumbing.messages import translate
from meterai.sealing import load_issuers
from tests.support.certifying import certify
from tests.support.commands import Done, run_here
from tests.support.keys import BANK_KEY, public_pem_of

PUBLIC_URL = "https://meterai.contoh.id"
SECRET = {
    "instance.key",
    "provider.key.pem",
    "issuer/issuer-1/seal.key",
    "issuer/issuer-1/claim.key",
}
OPEN = {
    "provider.pub.pem",
    "issuer/current",
    "issuer/issuer-1/seal.csr",
    "issuer/issuer-1/claim.pub",
}
OF_OTHERS = {
    "bank.pub.pem",
    "bank-client-secret",
    "issuer/issuer-1/seal.pem",
    "issuer/issuer-1/intermediate.pem",
    "issuer/issuer-1/root.pem",
}


def make(folder: Path, **settings: str) -> Done:
    given = {"METERAI_ENVIRONMENT": "production", "METERAI_PUBLIC_URL": PUBLIC_URL}
    return run_here(folder, "keys", "make", **given | settings)


def outcomes_of(done: Done, keys: Path) -> dict[str, str]:
    """Outcome of each file, by its name."""
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines() if line[0] != " "]
    return {
        str(Path(path).relative_to(keys)): said
        for said, path in lines
        if said in ("made", "there", "LACKS")
    }


def kept(done: Done, keys: Path) -> set[str]:
    """Files to copy to a separate place."""
    named = done.stdout.split(translate("key.keep", "en"))[1].split()
    return {str(Path(path).relative_to(keys)) for path in named}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_missing_keys_are_made_and_external_ones_are_named(tmp_path: Path) -> None:
    done = make(tmp_path)
    assert done.returncode == Exit.DONE, done.stderr
    keys = tmp_path / "keys"
    assert outcomes_of(done, keys) == (
        dict.fromkeys(SECRET | OPEN, "made") | dict.fromkeys(OF_OTHERS, "LACKS")
    )
    assert set(contents(keys)) == SECRET | OPEN
    for name in SECRET:
        assert stat.S_IMODE((keys / name).stat().st_mode) == 0o600, name
    for folder in (keys, keys / "issuer", keys / "issuer" / "issuer-1"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert kept(done, keys) == SECRET


def test_second_run_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path)
    before = contents(tmp_path)
    done = make(tmp_path)
    assert contents(tmp_path) == before
    assert outcomes_of(done, tmp_path / "keys") == (
        dict.fromkeys(SECRET | OPEN, "there") | dict.fromkeys(OF_OTHERS, "LACKS")
    )


def test_production_is_complete_with_the_files_of_authority_and_bank(tmp_path: Path) -> None:
    make(tmp_path)
    keys = tmp_path / "keys"
    certify(keys / "issuer" / "issuer-1", datetime.now(UTC))
    (keys / "bank.pub.pem").write_bytes(public_pem_of(BANK_KEY))
    settings = {
        "environment": "production",
        "public_url": PUBLIC_URL,
        "proxies": "1",
        "database_url": "postgresql://meterai@db.contoh.id/meterai",
        "bank_url": "https://api.bank.co.id",
        "bank_client_id": "PENERBIT",
        "bank_client_secret": "rahasia",
        "bank_merchant_id": "M-1",
        "bank_qr_accounts": "936000020000000001 ID1020000000001",
        "smtp_host": "smtp.contoh.id",
        "smtp_port": "587",
        "smtp_tls": "starttls",
        "mail_from": "meterai <halo@meterai.contoh.id>",
        "operator_name": "PT Contoh Meterai",
        "operator_address": "Jalan Contoh 1, Jakarta 10110",
        "operator_mail": "halo@meterai.contoh.id",
        "operator_tax_number": "0012345678901000",
        "operator_terms": "https://contoh.id/ketentuan",
        "operator_privacy": "https://contoh.id/privasi",
        "operator_security": "keamanan@contoh.id",
        "console_networks": "10.8.0.0/24",
    }
    environ = {f"METERAI_{name.upper()}": value for name, value in settings.items()}
    done = run_here(tmp_path, "check-config", **environ)
    assert (done.returncode, done.stdout) == (Exit.DONE, "nothing is wrong\n")
    again = make(tmp_path, **environ)
    assert set(outcomes_of(again, keys).values()) == {"there"}
    assert kept(again, keys) == SECRET


@pytest.mark.parametrize("algorithm", ["p256", "rsa2048"])
def test_certificate_request_is_for_the_sealing_key(tmp_path: Path, algorithm: str) -> None:
    make(tmp_path, METERAI_SEAL_ALGORITHM=algorithm)
    folder = tmp_path / "keys" / "issuer" / "issuer-1"
    key = load_pem_private_key((folder / "seal.key").read_bytes(), None)
    request = x509.load_pem_x509_csr((folder / "seal.csr").read_bytes())
    assert request.is_signature_valid
    assert request.public_key() == key.public_key()
    assert request.subject.rfc4514_string() == "CN=meterai.contoh.id"
    certify(folder, datetime.now(UTC))
    issuer = load_issuers(folder.parent).current
    issuer.check_usable(datetime.now(UTC) + timedelta(minutes=1))


def test_lost_key_is_not_replaced(tmp_path: Path) -> None:
    make(tmp_path)
    keys, issuer = tmp_path / "keys", tmp_path / "keys" / "issuer" / "issuer-1"
    certify(issuer, datetime.now(UTC))
    stored = tmp_path / "objects" / "ab" / "abc"
    stored.parent.mkdir(parents=True)
    stored.write_bytes(b"an original")
    for lost in (keys / "instance.key", issuer / "seal.key", issuer / "claim.key"):
        lost.unlink()
    before = contents(tmp_path)
    done = make(tmp_path)
    assert contents(tmp_path) == before
    said = outcomes_of(done, keys)
    assert {name for name in SECRET if said[name] == "LACKS"} == SECRET - {"provider.key.pem"}
    for name in ("instance_lost", "seal_lost", "claim_lost"):
        assert translate(f"key.{name}", "en") in done.stdout


def test_key_in_security_module_is_not_made_as_file(tmp_path: Path) -> None:
    folder = tmp_path / "keys" / "issuer" / "issuer-1"
    folder.mkdir(parents=True)
    (folder / "pkcs11.toml").write_text('module = "/usr/lib/softhsm/libsofthsm2.so"\n')
    done = make(tmp_path)
    assert done.returncode == Exit.DONE, done.stderr
    assert not (folder / "seal.key").exists()
    assert not (folder / "seal.csr").exists()
    assert (folder / "claim.key").exists()
