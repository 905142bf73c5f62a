"""A whole rail that no file of the product knows: the worked example of docs/adding.md.

Virtual account numbers of a bank that speaks JSON without SNAP BI, and signs with HMAC-SHA256.
"""
