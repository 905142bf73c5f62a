"""Bench of the console: search and pages with a million orders, two hundred complaints, a flood of ten thousand complaints.

complaints.toml  texts of complaints, with the state of money behind them and the true answers
states.py        each state, made by the product's own commands and a stand-in bank
truth.py         the truth of an answer, judged by the tables and the books alone
answered.py      the complaints, one by one
filling.py       orders in bulk
looking.py       search and pages over HTTP
"""
