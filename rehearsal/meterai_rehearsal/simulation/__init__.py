"""Simulation: how long people would wait, and how many machines they would need.

People come by a curve (`demand`), wait in a line that admits a number a second (`line`), and then ask the
servers in steps, each with a priority and a service time (`servers`).  `steady` asks what the servers take at
one rate of admission, `night` what becomes of all who come, `planning` which rate is safe and how many
machines are needed.  A simulation is made of its scenario and its seed alone: the same ones give the same answer.
"""
