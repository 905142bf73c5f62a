"""Rehearsal: visitors with journeys arrive independently of answers (an open model), while faults are made at set times and
promises are checked.
"""
