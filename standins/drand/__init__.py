"""A stand-in for drand: a relay of a chain of our own, whose rounds are signed as real ones are.

    GET  /chains                       the hashes of the chains it knows: one
    GET  /{chain}/info                 what the chain is
    GET  /{chain}/public/{round}       a round; `latest` for the newest
    POST /standin/faults               see `fault_switches`

A round that does not exist yet is answered with 425, as drand's own relays do.
"""

from standins.drand.chain import ROUNDS, Chain, kept_chain, signature_of
from standins.drand.relay import Relay

__all__ = ["ROUNDS", "Chain", "Relay", "kept_chain", "signature_of"]
