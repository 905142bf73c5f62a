"""Transfers to accounts that buyers named: what they carry, their SQL, and how they are planned, sent and looked for."""
