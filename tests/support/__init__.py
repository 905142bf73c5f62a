"""Shared code of the tests. Contains no tests."""
