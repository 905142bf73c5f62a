"""Adapters of providers that take and give back money, a package for each protocol."""
