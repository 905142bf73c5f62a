"""The way back measured: what was paid and interrupted is served again, and what a watch costs.

Each part is a module with a `main` of its own, which takes the rest of the words and answers an exit status.

way_back.py    orders paid and not served, and interrupted stampings, recovered by `meterai recover`
unserved.py    these orders and stampings, made by the product's own functions
"""
