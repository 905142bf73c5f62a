"""Plumbing: the layer below all rooms. Its packages `http` and `work` use `db`, and all three use `observe`.

The modules outside of these packages provide configuration, messages, keys, objects and archives.

Nothing in plumbing knows a stamp, an order or a rupiah.
"""
