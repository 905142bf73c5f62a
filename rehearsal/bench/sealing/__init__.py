"""`make bench-sealing`: cost of a seal, compared with pyHanko and with the minimum that any seal needs.

Promises
  * Everything that is compared is measured in one process, alternately, as processor time; printed are medians over the
    rounds, so a busy machine changes them little.
  * pyHanko does the same job, with the same drawing, as fast as possible: its key parsed once, its drawing prepared, one event
    loop for all.
  * This minimum (the limit) is measured with the same libraries: the key operations, SHA-256 of the necessary
    bytes, one QR code.
  * If the corpus of real PDFs is missing, generated PDFs of the same sizes replace it.
  * Speed decides nothing; a missed target is printed as missed.
"""

from bench.sealing.brief import Sealing, letter, measure

__all__ = ["Sealing", "letter", "measure"]
