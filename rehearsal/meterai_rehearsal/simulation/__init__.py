"""Simulation of waits, and of the number of machines needed.

People arrive by a curve (`demand`), wait in a line that admits a number of people a second (`line`), and then send requests
to the servers in steps, each with a priority and a service time (`servers`). `steady` computes what the servers sustain at
one rate of admission, `night` the outcome of all arrivals, `planning` the safe rate and the machines needed. A simulation
depends only on its scenario and its seed, so that it can be repeated.
"""
