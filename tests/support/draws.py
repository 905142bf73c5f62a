"""Draws for tests: a chain with known rounds, an operator, and complete records."""

from collections.abc import Sequence

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from meterai.draw.protocol import steps
from meterai.draw.protocol.chain import BeaconChain
from meterai.draw.protocol.merkle import root_of
from meterai.draw.protocol.order import drawn
from meterai.draw.protocol.record import Announcement, DrawRecord
from meterai.draw.protocol.rules import announcement_of, round_time
from standins import drand
from standins.drand import signature_of

GENESIS = 1_800_000_000
STANDIN = drand.Chain(GENESIS, period=30)


def chain_of(standin: drand.Chain) -> BeaconChain:
    """The chain of a stand-in as our verifier reads it."""
    return BeaconChain(
        beacon=standin.beacon,
        period=standin.period,
        genesis_time=standin.genesis_time,
        genesis_seed="00" * 32,
        public_key=standin.public_key,
    )


CHAIN = chain_of(STANDIN)
CLOSES_AT = GENESIS + 3_600


class Operator:
    """A signer with a new key."""

    def __init__(self, seed: int = 1) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed.to_bytes(32, "big"))

    @property
    def public_key(self) -> bytes:
        return self._key.public_key().public_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message)


def entries_of(count: int, first: int = 0) -> list[bytes]:
    """`count` different entries, sorted."""
    return sorted(
        (number * 0x9E3779B97F4A7C15F39CC0605CEDC835 % (1 << 128)).to_bytes(16, "big")
        for number in range(first + 1, first + count + 1)
    )


def announced(line: str = "meterai") -> Announcement:
    return announcement_of(line, CLOSES_AT, CLOSES_AT + 300, chain=CHAIN)


def drawn_record(
    entries: Sequence[bytes], *, line: str = "meterai", operator: Operator | None = None
) -> DrawRecord:
    """A complete record, made as the operator makes it."""
    signer = operator or Operator()
    announcement = announced(line)
    record = steps.announce(announcement, CLOSES_AT - 1, signer)
    record = steps.close(record, root_of(entries), len(entries), CLOSES_AT + 5, signer)
    signature = signature_of(announcement.round)
    return finished(record, entries, signature, signer)


def finished(
    record: DrawRecord, entries: Sequence[bytes], signature: str, signer: Operator
) -> DrawRecord:
    """The record with its result."""
    order, _ = drawn(entries, steps.seed_from(record, signature))
    return steps.finish(record, order, signature, round_time(record.announcement) + 1, signer)
