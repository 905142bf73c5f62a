"""The trusted sealers, and the certificate path from the signer of a SignedData to a root of the verifier."""

import hashlib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from meterai.sealing.signing.chains import shortest_way
from meterai.sealing.signing.cms import SignedData
from meterai.sealing.signing.cms_layout import key_of
from meterai.sealing.signing.issuer import (
    common_name,
    may_sign_certificates,
    may_sign_documents,
)

PATH_LENGTH_MAX = 4  # certificates in a path, with the leaf and without the root
PATHS_KEPT_MAX = 256  # cached; a verifier reads seals of the same few signers

Path = tuple[x509.Certificate, ...]


@dataclass(frozen=True, slots=True)
class Sealers:
    """Owners of sealing keys (sealers) that a verifier trusts.

    A root alone does not identify a sealer, because an authority below it may certify other parties too.  So `keys` has
    the SHA-256 of each sealing key (SubjectPublicKeyInfo); a certificate that was renewed for the same key belongs to the
    same sealer.  `keys` is `None` if the verifier has no such list and trusts every certificate below a root.  `names`
    are the names of roots and sealers as `_read_name` returns them.
    """

    roots: Path
    keys: frozenset[bytes] | None
    names: frozenset[str]

    @classmethod
    def of(
        cls, roots: Sequence[x509.Certificate], certificates: Sequence[x509.Certificate]
    ) -> "Sealers":
        """Return the sealers with these certificates; if none are given, every certificate below the roots is trusted."""
        keys = frozenset(_key_digest(one) for one in certificates) - {b""}
        names = frozenset(map(_read_name, (*roots, *certificates)))
        return cls(tuple(roots), keys if certificates else None, names)


def path_to_root(signed_data: SignedData, sealers: Sealers) -> Path | None:
    """Return the path from the signer's certificate to a trusted root, each certificate signed by the next.

    Returns `None` if no path exists, or if the signer is not one of the sealers.  Only names and signatures are checked here;
    `usages_fit` and `valid_at` check usages and times.  A root in the document itself proves nothing.
    """
    path = _path(signed_data.leaf, signed_data.others, sealers.roots)
    if path is None or sealers.keys is None or _key_digest(path[0]) in sealers.keys:
        return path
    return None


@lru_cache(PATHS_KEPT_MAX)
def _key_digest(certificate: x509.Certificate) -> bytes:
    """Return the SHA-256 of the certificate's key (SubjectPublicKeyInfo).

    For an unsupported key the result is empty, and so matches no sealer.
    """
    key = key_of(certificate)
    if not isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey):
        return b""
    encoded = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(encoded).digest()


@lru_cache(PATHS_KEPT_MAX)
def _path(leaf: x509.Certificate, others: Path, roots: Path) -> Path | None:
    return shortest_way(leaf, others, roots, PATH_LENGTH_MAX + 1)


@lru_cache(PATHS_KEPT_MAX)
def usages_fit(path: Path) -> bool:
    """True if the first certificate of the path may sign documents, and all others may sign certificates."""
    if not may_sign_documents(path[0]):
        return False
    for below, authority in enumerate(path[1:]):
        if not may_sign_certificates(authority):
            return False
        limit = authority.extensions.get_extension_for_class(
            x509.BasicConstraints
        ).value.path_length
        # `below` counts the authorities between this one and the signer (RFC 5280, 4.2.1.9).
        if limit is not None and below > limit:
            return False
    return True


def valid_at(path: Path, at: datetime) -> bool:
    """True if every certificate of the path was valid at this time."""
    return all(item.not_valid_before_utc <= at <= item.not_valid_after_utc for item in path)


def uses_names_of(signed_data: SignedData, sealers: Sealers) -> bool:
    """True if the SignedData imitates our names although its certificates lead to none of the roots.

    It imitates them if one of its certificates names a root as its issuer, or has a subject that looks like that of a root or a
    sealer.
    """
    if _path(signed_data.leaf, signed_data.others, sealers.roots) is not None:
        return False
    names = {root.subject for root in sealers.roots}
    certificates = (signed_data.leaf, *signed_data.others)
    return any(
        item.issuer in names or any(_look_alike(_read_name(item), name) for name in sealers.names)
        for item in certificates
    )


@lru_cache(PATHS_KEPT_MAX)
def _read_name(certificate: x509.Certificate) -> str:
    """Return the common name of a certificate, normalized so that names that look alike are equal.

    Case, accents, width of letters, blanks and all characters other than letters and digits are removed.  Latin letters
    replace similar Greek and Cyrillic ones, and one Latin letter replaces several that look alike.
    """
    plain = unicodedata.normalize("NFKD", common_name(certificate).translate(_NOT_SEEN))
    read = "".join(
        one for one in plain.translate(_LOOKS_LIKE).casefold() if one.isalnum() or one == "|"
    )
    for several, one in _ALIKE:
        read = read.replace(several, one)
    return read


def _look_alike(name: str, ours: str) -> bool:
    """True if two normalized names are equal, or differ only in non-ASCII letters that are at most half of the name."""
    if name == ours:
        return True
    if len(name) != len(ours) or name.isascii():
        return False
    pairs = [(one, other) for one, other in zip(name, ours, strict=True) if one.isascii()]
    return 2 * len(pairs) >= len(ours) and all(one == other for one, other in pairs)


# Characters that are invisible or drawn as a blank (Unicode, default ignorable code points).
_NOT_SEEN = dict.fromkeys(
    (
        *(0x00AD, 0x034F, 0x061C, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFEFF, 0xFFA0),
        *range(0x180B, 0x1810),
        *range(0x200B, 0x2010),
        *range(0x202A, 0x202F),
        *range(0x2060, 0x2070),
        *range(0xFE00, 0xFE10),
        *range(0xE0000, 0xE1000),
    )
)
# Letters that look alike in most typefaces, with the replacement of each.
_ALIKE = (("rn", "m"), ("vv", "w"), ("i", "l"), ("1", "l"), ("|", "l"), ("0", "o"))
# Greek and Cyrillic letters that look like Latin ones (Unicode Technical Standard 39, confusables).
_LOOKS_LIKE = str.maketrans(
    "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7"
    "\u0410\u0412\u0415\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425\u0405\u0406\u0408"
    "\u03b1\u03b9\u03ba\u03bd\u03bf\u03c1\u03c5\u03c7"
    "\u0430\u0435\u043a\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458\u04bb\u0501\u051b\u051d\u0131",
    "ABEZHIKMNOPTYXABEKMHOPCTYXSIJaikvopuxaekopcyxsijhdqwi",
)
