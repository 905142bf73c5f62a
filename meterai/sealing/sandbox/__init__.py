"""Work on untrusted bytes in processes of their own, each ended at its budget of time and memory.

The libraries that are not safe with hostile files (qpdf, PDFium) are used only inside such a process.
"""
