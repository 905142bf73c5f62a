"""Receivers of webhooks: the permitted addresses, and the sending of one message."""
