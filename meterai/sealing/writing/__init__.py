"""Adds stamps and signatures to a document in incremental updates; the original bytes stay unchanged.

`engine` inspects, signs and appends; `affixing` and `security_store` make the content of an update.
"""
