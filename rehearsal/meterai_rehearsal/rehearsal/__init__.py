"""Rehearsal: an open-model load of visitors with journeys, timed faults, and checks of promises meanwhile."""
