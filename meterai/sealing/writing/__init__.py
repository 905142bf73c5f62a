"""A document gets its stamps and signatures as incremental updates that leave its bytes as they are.

`engine` inspects, signs and appends; what stands in an update is in `affixing` and `security_store`.
"""
