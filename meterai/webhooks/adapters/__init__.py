"""Receivers of webhooks: which addresses they may have, and one message sent to one."""
