"""The draw: the order of those who came before a line opened.

A pure package: values in, values out; it reads no file, no clock and no database.

    announcement   before anybody enters: when the list closes, and what will decide
    entries        16 random bytes for each who came; the list of all, sorted, is public
    closing        the Merkle root and the number of entries, published before what decides exists
    result         the drand round, the seed made of all this, and the hash of the order

Each of these is signed by the operator and carries the hash of the one before, so that one saved
copy shows whether anything was changed later.  `verification` recomputes all of it;
docs/decisions/0030-draw.md says against whom it holds.
"""
