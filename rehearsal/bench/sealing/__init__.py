"""`make bench-sealing`: what a seal costs, beside pyHanko and beside what no seal can do without.

Promises
  * Everything that is compared is measured in one process, in turns, as processor time; what is
    printed are medians over the turns, so a busy machine changes them little.
  * pyHanko does the same job, with the same drawing, as fast as it can be made to: its key parsed
    once, its drawing ready beforehand, one event loop for all.
  * The limit is counted with the same libraries: the key operations, SHA-256 of what must be
    hashed, one QR code.
  * Where the corpus of real PDFs is missing, generated ones of the same sizes take its place.
  * How fast it was decides nothing; a target that is not met is printed as not met.
"""

from bench.sealing.brief import Sealing, letter, measure

__all__ = ["Sealing", "letter", "measure"]
