"""The desk measured: search and pages at a million orders, two hundred complaints, a bomb of ten thousand.

complaints.toml  what people write, with the state of money behind it and the answers that are true of it
states.py        each state made by the product's own commands and a stand-in bank
truth.py         whether an answer is true, by the tables and the books alone
answered.py      the complaints, told one by one
filling.py       orders in bulk
looking.py       search and pages over HTTP
"""
