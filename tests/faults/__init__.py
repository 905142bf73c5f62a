"""Faults: parts that are killed, cut off or slow."""
