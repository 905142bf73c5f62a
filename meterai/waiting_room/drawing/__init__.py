"""Draws carried out: entries taken, files published, the steps done when they are due, numbers written.

What a draw is, and how it is recomputed, is the package `draw` beside this one; here are the
database, files, clock and outside machines.
"""
