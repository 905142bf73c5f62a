"""Files of providers and banks, each read into lines of a record: CSV, XLSX and MT940.

A line whose sum cannot be read exactly is an `UnmatchedLine`; the lines after it are still read.
"""

from meterai.reconciliation.files.reading import FileRead, read
from meterai.reconciliation.files.rows import FileUnreadable

__all__ = ["FileRead", "FileUnreadable", "read"]
