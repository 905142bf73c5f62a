"""Retention of the tables of stamps."""

from meterai.plumbing.work.retention import MONEY, ONE, STAMPS, Rule, Stays

RETENTION: tuple[Rule, ...] = (
    Stays("issuing", ONE),
    Stays("serial_leases", ONE),
    Stays("stamp_lots", MONEY),
    Stays("stamps", STAMPS),
    Stays("serial_directory", STAMPS),
)
