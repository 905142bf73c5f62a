"""Benches of recovery: the time until paid and interrupted work is served again, and the cost of a watcher.

Each part is a module with its own `main`, which takes the remaining arguments and returns an exit status.

way_back.py    paid, unserved orders and interrupted stampings, recovered by `meterai recover`
unserved.py    these orders and stampings, made by the product's own functions
watch.py       faults of an instance as a watcher publishes them, and the watcher's own cost
"""
