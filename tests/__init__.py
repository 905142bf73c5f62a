"""All tests of the product.

This is a package, although most folders below it are not: otherwise a library that contains a package of this
name, such as `ciw`, would be imported instead.
"""
