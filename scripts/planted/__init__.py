"""Strength of the tests: faults that are planted, and whether the tests find them."""
