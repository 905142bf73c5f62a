"""Tasks on untrusted bytes in separate processes, each killed when it exceeds its limits of time and memory.

Libraries that are not safe with hostile files (qpdf, PDFium, pyHanko) get a whole untrusted document only in such a
process.
"""
