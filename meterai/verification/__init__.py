"""Verification: is this PDF, this serial genuine, unaltered, used once?

Promises this room keeps
  * Anybody may ask, without signing in, and hears a clear word and each check in plain language.
  * What is answered about a serial is nothing personal.
  * The document that is checked is not kept.

Calls sealing, stamps, stamping.
"""

from meterai.verification.model import FinalVerdict
from meterai.verification.service import CheckView, StampView, VerificationDesk, VerificationView

__all__ = ["CheckView", "FinalVerdict", "StampView", "VerificationDesk", "VerificationView"]
