"""Making and checking CMS signatures: keys, issuers, certificate chains, time-stamps, revocation.

The package reads no PDF: it signs a digest, and reads CMS SignedData.  `network` is the only module of
the room that connects to other machines.
"""
