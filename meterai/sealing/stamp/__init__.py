"""What one stamp looks like and says: artwork, typefaces, QR code, the signed claim, its names.

Bytes and numbers only: neither a document nor a signature is touched.
"""
