"""Distribution measured: deposits and statements, batches, checks of many, webhooks."""
