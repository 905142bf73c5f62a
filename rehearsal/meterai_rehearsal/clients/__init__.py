"""Clients of an installation over HTTP: a visitor's device, and a load of many requests."""
