"""Rehearsal: an open-model load of visitors with journeys, faults at times, promises checked meanwhile."""
