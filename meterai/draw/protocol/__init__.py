"""Protocol of a draw: the order of visitors who came before a line opened.

A pure package: it reads no file, no clock and no database.

    announcement   before the first entry: when the list closes, and which round decides
    entries        16 random bytes for each visitor; the sorted list of all is public
    closing        the Merkle root and the number of entries, published before the round exists
    result         the drand round, the seed derived from all this, and the hash of the order

The operator signs each of these with the hash of the one before, so that one saved copy shows any later change.
`verification` recomputes all of it.  docs/decisions/0030-draw.md names the attackers it resists.
"""
