"""Adapter that fetches public randomness for draws, from relays of drand."""
