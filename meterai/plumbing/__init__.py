"""What every room stands on: database, jobs, configuration, telemetry, HTTP, objects, mail.

Nothing here knows a stamp, an order or a rupiah.
"""
