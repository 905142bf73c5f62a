"""A stand-in for drand: a chain of our own with real signatures, and a relay that serves it."""

from standins.drand.rounds import PUBLIC_KEY, ROUNDS, signature_of

__all__ = ["PUBLIC_KEY", "ROUNDS", "signature_of"]
