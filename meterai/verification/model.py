"""Verdicts that need the register as well as the document; pure."""

from enum import StrEnum


class FinalVerdict(StrEnum):
    """One word for what was checked.  The first six are those of `sealing.Verdict`."""

    GENUINE = "genuine"
    CHANGED_AFTER_SEALING = "changed_after_sealing"
    FORGED = "forged"
    FOREIGN_SEAL = "foreign_seal"
    NOT_SEALED = "not_sealed"
    UNREADABLE = "unreadable"
    UNKNOWN_SERIAL = "unknown_serial"  # our seal, but a serial we never put on a document
    SERIAL_MISMATCH = "serial_mismatch"  # our serial, bound to another document
