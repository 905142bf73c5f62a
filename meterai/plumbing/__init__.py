"""Plumbing: the layer below all rooms: `http` and `work` on `db`, and `observe` below them.

Beside these packages are single modules: configuration, messages, keys, objects, archives.

Nothing in plumbing knows a stamp, an order or a rupiah.
"""
