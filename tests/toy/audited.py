"""What the audit knows of the columns of the guest book."""

from meterai.plumbing.db.audited import Audited, fact

FACTS = (fact("guests", "entered_at", "guest_id name"),)
AUDITED = Audited(facts=FACTS)
