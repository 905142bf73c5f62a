"""`make bench`: throughput of one core, beside a limit measured in the same run.

Promises
  * CPU per order is counted by the kernel, per group of processes, over the same seconds in which the orders were
    answered. Rates by the clock are printed beside it, since a busy machine changes them and hardly changes CPU per order.
  * The limit is the SQL statement with which the web places an order, run by PostgreSQL's own pgbench on the same server: the
    difference is the cost of HTTP, Python and the application.
  * Everything is bounded in time and number, stays on loopback, and ends automatically.
  * Slowness of the machine is no failure; an error, a missing order or a broken audit is.
"""
