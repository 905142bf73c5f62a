"""Clients of an installation over HTTP: as a visitor's device speaks, and as a load of many requests."""
