"""Outside machines of the waiting room: relays of drand."""
