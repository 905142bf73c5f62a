"""Providers: SNAP BI spoken over HTTP, with a profile for each provider's paths and quirks."""
