"""Declarations about the columns of the guest book for the audit."""

from meterai.plumbing.db.audited import Audited, fact

FACTS = (fact("guests", "entered_at", "guest_id name"),)
AUDITED = Audited(facts=FACTS)
