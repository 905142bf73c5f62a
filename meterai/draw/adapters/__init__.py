"""Adapters of the draw: relays of drand."""
