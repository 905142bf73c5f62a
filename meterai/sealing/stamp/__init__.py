"""Appearance of one stamp: artwork, typefaces, QR code, the signed claim, its names.

The package handles bytes and numbers only, no document and no signature.
"""
