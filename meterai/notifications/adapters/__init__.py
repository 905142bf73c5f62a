"""Adapters of mail servers."""
