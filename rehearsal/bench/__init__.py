"""`make bench`: how much one core does, beside a limit measured in the same run.

Promises
  * CPU per order is counted by the kernel, per group of processes, over the same seconds in which
    the orders were answered; rates by the clock are printed beside it, since a busy machine
    changes them and hardly changes CPU per order.
  * The limit is the statement that the web runs, on the same server, driven by PostgreSQL's own
    pgbench: what is above it is the price of HTTP, Python and the application.
  * Everything is bounded in time and number, stays on loopback, and ends by itself.
  * How fast the machine was decides nothing; an error, a missing order or a broken audit does.
"""
