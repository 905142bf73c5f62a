"""Work on untrusted bytes in processes of their own, each ended at its budget of time and memory.

Libraries that are not safe with hostile files (qpdf, PDFium, pyHanko) get a whole untrusted
document only in such a process.
"""
