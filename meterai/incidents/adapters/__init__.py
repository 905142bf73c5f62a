"""Outside machines of incidents: watchers."""
