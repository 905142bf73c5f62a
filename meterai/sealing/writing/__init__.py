"""A document gets stamps and signatures in incremental updates; its own bytes stay as they are.

`engine` inspects, signs and appends; `affixing` and `security_store` make what is in an update.
"""
