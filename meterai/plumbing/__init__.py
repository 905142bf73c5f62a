"""Plumbing: the floor of all rooms: `http` and `work` on `db`, and `observe` below them.

Beside them are single modules: configuration, messages, keys, objects, archives.

Nothing here knows a stamp, an order or a rupiah.
"""
