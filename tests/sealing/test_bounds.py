"""A verification of any file stays within the limits of our own process and of its tasks."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from bench.bounds import spent
from meterai.sealing.signing import chains, trust
from meterai.sealing.signing.cms import CERTIFICATES_MAX
from tests.support.attacks.heavy import HEAVY
from tests.support.attacks.lab import AT
from tests.support.yardstick import slowness

CALLER_SECONDS_MAX = 1.5  # of a processor, for one file
CALLER_BYTES_MAX = 60 * 1024 * 1024  # beyond the file
SLOW = {"true-seals-in-a-large-file"}  # making the file takes seconds


@pytest.mark.sample(4)
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.soak] * (name in SLOW)) for name in HEAVY]
)
def test_hostile_file_costs_caller_at_most_the_bounds(lab, name):
    document = HEAVY[name](lab)
    found = spent(document, lab.issuer.root)
    assert found.seconds < CALLER_SECONDS_MAX * slowness()
    assert found.bytes_more < CALLER_BYTES_MAX
    assert (found.said == "genuine") == (name in SLOW)


def self_made(count: int) -> list[x509.Certificate]:
    """Certificates with the same name, each of which could have issued any other."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Siapa saja")])
    made = []
    for number in range(count):
        key = ec.generate_private_key(ec.SECP256R1())
        begin, end = AT.replace(year=2025), AT.replace(year=2027)
        draft = x509.CertificateBuilder(name, name, key.public_key(), number + 1, begin, end)
        made.append(draft.sign(key, hashes.SHA256()))
    return made


def test_key_without_trusted_root_is_not_used(lab):
    """The author of a file chooses its keys: some take milliseconds for each pair of certificates."""
    leaf, *others = self_made(CERTIFICATES_MAX)
    chains.is_issued_by.cache_clear()
    assert chains.chain_to(leaf, others, [lab.issuer.root]) is None
    assert chains.is_issued_by.cache_info().misses == CERTIFICATES_MAX
    chain = lab.issuer.chain
    assert chains.chain_to(chain[0], [*others, *chain[1:]], [chain[-1]]) == chain
    assert chains.shortest_way(chain[0], chain[1:-1], [chain[-1]], len(chain) - 1) is None
    assert len(chain) <= trust.PATH_LENGTH_MAX + 1
