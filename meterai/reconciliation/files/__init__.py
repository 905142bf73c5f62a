"""Files of providers and banks, each read into lines of a record: CSV, XLSX and MT940.

A sum is read exactly or its line is an `UnmatchedLine`; a line that cannot be read stops no other.
"""

from meterai.reconciliation.files.reading import FileRead, read
from meterai.reconciliation.files.rows import FileUnreadable

__all__ = ["FileRead", "FileUnreadable", "read"]
