"""Outside machines of outage records: the static files of watchers."""
