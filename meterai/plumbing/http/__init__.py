"""HTTP: requests, callers, bodies, answers."""
