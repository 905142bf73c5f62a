"""Refunds of payments: what they are, their SQL, and how they are sent and looked for."""
