"""Everything that proves the product.

A package, though most folders below it are none: a library that brings along a package of this name would
else be found in its place (`ciw` does).
"""
