"""Outside machines that take and give back money, a package each."""
