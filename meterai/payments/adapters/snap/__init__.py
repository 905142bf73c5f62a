"""Providers that speak SNAP BI over HTTP, with a profile for each one's paths and quirks."""
