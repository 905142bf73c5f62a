"""A stand-in for drand: a relay of our own chain, whose rounds are signed like real ones.

    GET  /chains                       a list with the hash of its only chain
    GET  /{chain}/info                 the facts of the chain
    GET  /{chain}/public/{round}       a round; `latest` for the newest
    POST /standin/faults               see `fault_switches`

A round that does not exist yet is answered with 425, as drand's own relays do.
"""

from standins.drand.chain import ROUNDS, Chain, kept_chain, signature_of
from standins.drand.relay import Relay

__all__ = ["ROUNDS", "Chain", "Relay", "kept_chain", "signature_of"]
