"""Stamps and signatures added to a document in incremental updates; its own bytes stay unchanged.

`engine` inspects, signs and appends; `affixing` and `security_store` make the content of an update.
"""
