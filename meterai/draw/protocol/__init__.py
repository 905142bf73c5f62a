"""Protocol of a random draw, which sets the order of visitors who came before a line opened.

A pure package: it reads no file, no clock and no database.

    announcement   made before the first entry: when the list closes, and which round decides
    entries        16 random bytes for each visitor; the sorted list of all entries is public
    closing        the Merkle root and the number of entries, published before the round exists
    result         the drand round, the seed derived from all of these, and the hash of the order

The operator signs announcement, closing and result; each contains the hash of the part before, so that a saved copy
shows any later change.  `verification` recomputes all values.  docs/decisions/0030-draw.md names the attackers that
the protocol resists.
"""
