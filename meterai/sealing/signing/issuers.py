"""All issuers that ever sealed for this installation.  One is current; seals of the others can still be checked.

A directory holds one sub-directory per issuer, named by its id, and the file `current` with the id of the current issuer.  A
key is changed by writing a new sub-directory and then `current`.  Of every other issuer only the certificates and `claim.pub`
are read; its private keys may be deleted.

A directory may also be laid out as that of one issuer (see `issuer`); that issuer is then the current and only one.
"""

import os
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from meterai.plumbing.files import read_file, read_key_file
from meterai.sealing.model import IssuerUnusable
from meterai.sealing.signing.issuer import (
    CLAIM_KEY_FILE,
    LONG_TERM_FILE,
    Issuer,
    ProofSource,
    check_chain,
    common_name,
    load_chain,
    load_claim_key,
    load_key,
    load_revocation_lists,
)
from meterai.sealing.stamp.claim import ClaimKeyUnusable, key_id, load_public_keys
from meterai.sealing.stamp.operator_artwork import ARTWORK_BYTES_MAX

ARTWORK_FILE = "art.pdf"
CURRENT_FILE = "current"
CLAIM_PUBLIC_FILE = "claim.pub"

ISSUERS_MAX = 100  # sub-directories; keys change every year or two

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")


@dataclass(frozen=True, slots=True)
class KnownIssuer:
    """Issuer that does not seal now: retired, or not yet appointed."""

    chain: tuple[x509.Certificate, ...]
    claim_public: Ed25519PublicKey | None

    @property
    def name(self) -> str:
        """Common name of the certificate."""
        return common_name(self.chain[0])

    @property
    def root(self) -> x509.Certificate:
        """Root certificate, which a verifier must trust."""
        return self.chain[-1]


@dataclass(frozen=True, slots=True)
class Issuers:
    """All issuers: `current` is the one that makes new seals, and `by_id` has each of them, the current one included.

    `roots` and `claim_keys` (by the key id in a claim) are for verifiers.
    """

    current: Issuer
    by_id: Mapping[str, Issuer | KnownIssuer]
    roots: tuple[x509.Certificate, ...]
    claim_keys: Mapping[str, Ed25519PublicKey]

    @property
    def seal_certificates(self) -> tuple[x509.Certificate, ...]:
        """Certificates of all keys that seal or sealed.  Other certificates below the same roots are not trusted for seals."""
        return tuple(one.chain[0] for one in self.by_id.values())

    @property
    def time_stamp_roots(self) -> tuple[x509.Certificate, ...]:
        """Roots that time-stamps in seals may lead to; none if the current issuer makes no time-stamps."""
        return (
            self.current.long_term_validation.time_stamp_roots
            if self.current.long_term_validation is not None
            else ()
        )


def load_issuer(directory: Path) -> Issuer:
    """Load the issuer of the directory.

    Refuses with `IssuerUnusable`, or with `ArtworkUnusable` if the artwork cannot be shown.
    """
    chain = load_chain(directory)
    return Issuer(
        load_key(directory, chain[0]),
        chain,
        claim_key=load_claim_key(directory / CLAIM_KEY_FILE),
        revocation_lists=lambda: load_revocation_lists(directory),
        long_term_validation=_load_long_term_validation(directory),
        operator_artwork=_load_artwork(directory / ARTWORK_FILE),
    )


def _load_artwork(path: Path) -> bytes | None:
    if not path.exists():
        return None
    try:
        artwork = read_file(path, ARTWORK_BYTES_MAX)
    except OSError as cause:
        raise IssuerUnusable(f"{path.name} cannot be read") from cause
    from meterai.sealing.stamp.artwork_reading import (  # noqa: PLC0415 - see there
        read_operator_artwork,
    )

    read_operator_artwork(artwork)
    return artwork


def _load_long_term_validation(directory: Path) -> ProofSource | None:
    if not (directory / LONG_TERM_FILE).exists():
        return None
    # Imported only if needed, since network code takes 6 MB of memory.
    from meterai.sealing.signing.long_term_validation import (  # noqa: PLC0415
        load_long_term_validation,
    )

    return load_long_term_validation(directory)


def load_issuers(directory: Path) -> Issuers:
    """Load the issuers of the directory; refuses with `IssuerUnusable`.

    It refuses if there is no current issuer, if a sub-directory cannot be read, or if two different claim keys have the
    same id.
    """
    if not (directory / CURRENT_FILE).exists():
        alone = load_issuer(directory)
        return _issuers(alone, {directory.name: alone})
    sealing = appointed(directory)
    current = load_issuer(directory / sealing)
    issuers: dict[str, Issuer | KnownIssuer] = {
        name: current if name == sealing else _load_known(directory / name)
        for name in _ids(directory)
    }
    return _issuers(current, issuers)


def appoint(directory: Path, name: str) -> None:
    """Make the issuer with this id the current one from the next `load_issuers` on.

    Refuses with `IssuerUnusable` if that issuer cannot be loaded.  The file `current` is replaced atomically, so a
    concurrent reader finds the old id or the new one.
    """
    _check_id(name)
    load_issuer(directory / name)
    draft = directory / f".{CURRENT_FILE}.{secrets.token_hex(8)}"
    draft.write_text(f"{name}\n", encoding="ascii")
    os.replace(draft, directory / CURRENT_FILE)


def appointed(directory: Path) -> str:
    """Return the id of the current issuer.  Refuses with `IssuerUnusable`."""
    try:
        name = read_key_file(directory / CURRENT_FILE).decode("ascii").strip()
    except (OSError, UnicodeDecodeError) as cause:
        raise IssuerUnusable(f"the file {CURRENT_FILE} cannot be read") from cause
    _check_id(name)
    return name


def _check_id(name: str) -> None:
    # The id becomes a path, so it must not lead out of the directory.
    if not _ID.fullmatch(name):
        raise IssuerUnusable("the id of an issuer is not letters, digits, '.', '_' and '-'")


def _ids(directory: Path) -> list[str]:
    # A name with a leading dot belongs to an issuer that is being written.
    names = sorted(
        path.name for path in directory.iterdir() if path.is_dir() and path.name[0] != "."
    )
    if len(names) > ISSUERS_MAX:
        raise IssuerUnusable(f"{len(names)} issuers, at most {ISSUERS_MAX}")
    for name in names:
        _check_id(name)
    return names


def _load_known(directory: Path) -> KnownIssuer:
    chain = load_chain(directory)
    check_chain(chain)
    path = directory / CLAIM_PUBLIC_FILE
    if not path.exists():
        return KnownIssuer(chain, None)
    try:
        (public,) = load_public_keys([path]).values()
    except ClaimKeyUnusable as cause:
        raise IssuerUnusable(f"{directory.name}/{path.name} cannot be used") from cause
    return KnownIssuer(chain, public)


def _issuers(current: Issuer, issuers: Mapping[str, Issuer | KnownIssuer]) -> Issuers:
    # Each root once, the current one first: a dictionary keeps the order of insertion.
    roots = {current.root: None} | {one.root: None for one in issuers.values()}
    claim_keys: dict[str, Ed25519PublicKey] = {}
    for public in _claim_keys(issuers):
        if claim_keys.setdefault(key_id(public), public) != public:
            raise IssuerUnusable("two different claim keys have the same id")
    return Issuers(current, dict(issuers), tuple(roots), claim_keys)


def _claim_keys(issuers: Mapping[str, Issuer | KnownIssuer]) -> Iterator[Ed25519PublicKey]:
    for one in issuers.values():
        if isinstance(one, KnownIssuer):
            if one.claim_public is not None:
                yield one.claim_public
        elif one.claim_key is not None:
            yield one.claim_key.public
