"""Adapters of outage records: the static files of watchers."""
