"""Appearance of a stamp: artwork, typefaces, QR code, signed claim, and the names that identify the stamp.

The package handles only bytes and numbers; it reads no document and makes no seal.
"""
