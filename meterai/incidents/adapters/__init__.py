"""Adapters of incidents: watchers."""
