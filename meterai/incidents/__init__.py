"""Incidents: one record of what is wrong, which feeds status, feed, banner, mails, report and outage record.

Calls notifications, approvals, and rooms below by what they count.  Is called by recovery and outages.
"""

__all__: list[str] = []
